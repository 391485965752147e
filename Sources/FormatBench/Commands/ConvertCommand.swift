import CommandLineToolkit
import QuantizedCheckpoints
import TensorFiles
import UntrustedText

/// Stores a quantized checkpoint in another dialect without changing a value.
enum ConvertCommand: Command {
  static let input = Argument.required("SRC", .path, help: "a checkpoint: a file or a folder")
  static let to = Option.required(
    "to", .choice("dialect", of: Dialect.self), help: "whose files to write")
  static let output = Option.required(
    "output", letter: "o", .path,
    help: "what to write: one file for .safetensors and .gguf, otherwise a folder")
  static let lossy = Option.flag(
    "lossy",
    help: """
      write also where values change; tensors without a place in the dialect are then stored as F32
      """)
  static let metadataFrom = Option.optional(
    "metadata-from", .path, help: "take the keys and values of this GGUF file into a GGUF output")

  static let declaration = CommandDeclaration(
    name: "convert", abstract: "Stores a checkpoint in another dialect without changing a value",
    output: .report, arguments: [input],
    options: [to, output, lossy, CheckpointOptions.names, metadataFrom, CheckpointOptions.threads],
    examples: [
      .init(
        line: "convert model-modelopt --to compressed-tensors --output model-ct",
        purpose: "NVFP4 of ModelOpt for loaders of compressed-tensors"),
      .init(
        line: "convert model.safetensors --to ggml -o model.gguf", purpose: "the same codes in GGUF"
      ),
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      Codes and scales of blocks stay; names, types, orders of bits and the way in which the scale of a \
      tensor is told become those of the dialect. Every block is decoded before and after. Where one \
      has other values, or a tensor has no place in the dialect, nothing is written and the exit \
      status is 1, unless --lossy is given.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let (dialect, target) = (arguments[to], arguments[output])
    let checkpoint = try CheckpointOptions.open(
      arguments[input], arguments[CheckpointOptions.names])
    try CheckpointOptions.refuseOverwriting(
      target,
      inputs: [arguments[input]] + checkpoint.filePaths
        + [arguments[metadataFrom]].compactMap(\.self))
    guard checkpoint.inventory.quantizedCount > 0 else {
      throw .input("\(checkpoint.path): no tensor is quantized; 'fmtbench quantize' does that")
    }
    let keys = try CheckpointOptions.metadata(from: arguments[metadataFrom], for: target)
    let parallelism = PolicyOptions.parallelism(arguments)
    let conversion = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try checkpoint.conversion(to: dialect, parallelism: parallelism)
    }
    let isWritten = conversion.isLossless || arguments[lossy]
    if isWritten {
      var pace = WritingPace()
      try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
        try checkpoint.write(conversion, to: target, keys: keys, parallelism: parallelism) {
          progress in
          let text = pace.text(progress)
          console.progress(text)
        }
      }
    }
    console.write(report(conversion, checkpoint, target, isWritten), as: arguments.reportFormat)
    return isWritten ? .done : .checkFailed
  }

  private static func report(
    _ conversion: Conversion, _ checkpoint: ModelCheckpoint, _ target: String, _ isWritten: Bool
  ) -> Report {
    let counts = conversion.blockCounts
    let impossible = conversion.decisions.count {
      if case .impossible = $0.outcome { true } else { false }
    }
    var report = Report(
      command: declaration.name, reproducibility: .everywhere,
      context: [
        .init(key: "source", value: .text(checkpoint.path)),
        .init(key: "output", value: .text(target)),
        .init(key: "dialect", value: .text(conversion.dialect.rawValue)),
        .init(key: "verdict", value: .text(conversion.isLossless ? "lossless" : "lossy")),
        .init(key: "written", value: .text(isWritten ? "yes" : "no")),
        .init(key: "lossless_blocks", value: .integer(counts.lossless)),
        .init(key: "blocks", value: .integer(counts.all)),
        .init(key: "tensors_without_place", value: .integer(impossible)),
      ],
      columns: [
        .init(key: "tensor", title: "Tensor", role: .longName),
        .init(key: "format", title: "Format", role: .setting),
        .init(key: "lossless_blocks", title: "Lossless blocks", style: .general),
        .init(key: "blocks", title: "Blocks", style: .general),
        .init(key: "because", title: "Because", role: .setting),
      ],
      notes: isWritten
        ? [] : ["nothing was written; --lossy accepts the values that change"])
    for decision in conversion.decisions {
      let format = Cell.text(decision.tensor.formatText)
      switch decision.outcome {
      case .copied: continue
      case .relabelled(let lossless, let all):
        report.append([
          .text(decision.tensor.name), format, .integer(lossless), .integer(all),
          .text(lossless == all ? "" : "the scale of the tensor has no equal in the other form"),
        ])
      case .impossible(let reason):
        report.append([
          .text(decision.tensor.name), format, .empty, .empty, .text(reason),
        ])
      }
    }
    return report
  }
}
