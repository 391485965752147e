import CommandLineToolkit
import QuantizedCheckpoints

/// Compares two checkpoints by their values.
enum VerifyCommand: Command {
  static let first = Argument.required("A", .path, help: "a checkpoint")
  static let second = Argument.required("B", .path, help: "the one to compare it with")
  static let bytes = Option.flag(
    "bytes", help: "exit status 1 for other bytes, even where they decode to the same values")

  static let declaration = CommandDeclaration(
    name: "verify", abstract: "Tells whether two checkpoints hold the same values",
    output: .report, arguments: [first, second], options: [bytes, CheckpointOptions.threads],
    examples: [
      .init(line: "verify model.safetensors converted", purpose: "before and after a conversion")
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      The verdict is identical (the same stored bytes under the same names), equivalent (other bytes, \
      names or formats with the same values) or different, with the exit status 0, 0 and 1. Zeros of \
      either sign are equal, and so are all NaN. A tensor that one of them lacks makes them \
      different. Rows are the tensors that are not identical; blocks and elements are counted from 0, \
      row-major.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let first = try CheckpointOptions.open(arguments[Self.first])
    let second = try CheckpointOptions.open(arguments[Self.second])
    let comparison = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try first.compared(to: second, parallelism: PolicyOptions.parallelism(arguments))
    }
    console.write(VerifyReport.report(comparison, first, second), as: arguments.reportFormat)
    switch comparison.verdict {
    case .identical: return .done
    case .equivalent: return arguments[bytes] ? .checkFailed : .done
    case .different: return .checkFailed
    }
  }
}
