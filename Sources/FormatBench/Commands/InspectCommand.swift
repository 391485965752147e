import CommandLineToolkit
import QuantizedCheckpoints

/// Tells what a checkpoint holds, from its headers alone.
enum InspectCommand: Command {
  static let input = Argument.required("SRC", .path, help: "a checkpoint: a file or a folder")
  static let tensors = Option.flag("tensors", help: "a row for each tensor, not for each format")

  static let declaration = CommandDeclaration(
    name: "inspect", abstract: "Tells formats, dialect and completeness of a checkpoint",
    output: .report, arguments: [input], options: [tensors],
    examples: [
      .init(line: "inspect model", purpose: "a folder of safetensors files"),
      .init(line: "inspect model.gguf --tensors", purpose: "tensor by tensor"),
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      Headers alone are read. The last line counts the tensors that are quantized, left alone, \
      unclassified (of no dialect known here) and incomplete (codes without the scale that decodes \
      them); the exit status is 1 where one is incomplete.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let checkpoint = try CheckpointOptions.open(arguments[input])
    let report =
      arguments[tensors]
      ? InspectReport.tensors(of: checkpoint) : InspectReport.groups(of: checkpoint)
    console.write(report, as: arguments.reportFormat)
    return checkpoint.inventory.isComplete ? .done : .checkFailed
  }
}
