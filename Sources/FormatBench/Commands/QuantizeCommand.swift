import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints

/// Quantizes a checkpoint into the form that a producer's loaders read.
enum QuantizeCommand: Command {
  static let input = Argument.required("SRC", .path, help: "a checkpoint: a file or a folder")
  static let format = Option.optional(
    "format", .text("FORMAT"),
    help: "the format: an id of 'fmtbench list', or the dialect's own name for it")
  static let dialect = Option.required(
    "dialect", .choice("dialect", of: Dialect.self), help: "whose files to write")
  static let output = Option.required(
    "output", letter: "o", .path,
    help: "what to write: one file for .safetensors and .gguf, otherwise a folder")
  static let include = Option.list(
    "include", .namePattern, help: "quantize the tensors whose names match, and no others")
  static let exclude = Option.list(
    "exclude", .namePattern, help: "leave the tensors alone whose names match")
  static let tensorFormat = Option.list(
    "tensor-format", .tensorFormat, help: "another format for the tensors whose names match")
  static let plan = Option.optional(
    "plan", .path, help: "a file of 'fmtbench plan' with a format for each tensor")
  static let dryRun = Option.flag("dry-run", help: "write nothing, and tell sizes")
  static let requantize = Option.flag(
    "requantize", help: "also quantize what is quantized already, which loses twice")
  static let metadataFrom = Option.optional(
    "metadata-from", .path, help: "take the keys and values of this GGUF file into a GGUF output")

  static let shardSize = Option.defaulted(
    "shard-size", .byteCount, default: "5GB", help: "the most bytes of a file in a folder")
  static let shard = Option.optional(
    "shard", .share, help: "write the files of one of N workers; --merge comes last")
  static let merge = Option.flag(
    "merge", help: "write the index of what workers with --shard have written")

  static let declaration = CommandDeclaration(
    name: "quantize", abstract: "Quantizes a checkpoint for a producer's loaders",
    output: .report, arguments: [input],
    options: [
      format, dialect, output, include, exclude, tensorFormat, plan, dryRun, requantize,
      metadataFrom, CheckpointOptions.names, shardSize, shard, merge, CheckpointOptions.threads,
    ],
    rules: [
      .excludes(plan, format), .excludes(merge, shard), .excludes(dryRun, shard),
      .excludes(dryRun, merge),
    ],
    examples: [
      .init(
        line: "quantize model --format nvfp4 --dialect compressed-tensors -o out",
        purpose: "NVFP4 for vLLM"),
      .init(
        line: "quantize m --format q8_0 --dialect ggml -o m.gguf --exclude attn",
        purpose: "GGUF with attention left alone"),
      .init(
        line: "quantize model --format mxfp4 --dialect mlx -o out --dry-run", purpose: "sizes alone"
      ),
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      Quantized are the weights of linear layers: matrices called MODULE.weight, but not embeddings, \
      norms and the output layer. A format of several codes needs rows of whole blocks; what the \
      dialect cannot store is left alone, and the table says why. Policies are the producer's; \
      'fmtbench list --producers' tells them.
      """,
      """
      Tensors are read and written in pieces, whatever their size. A folder is written as \
      FOLDER.partial and renamed when it is complete: what stopped goes on with the same command. \
      Relative error is the root of noise over signal.
      """,
      """
      Workers on one or more machines share the work by the files of a folder: the same command with \
      --shard 1/4 to --shard 4/4, then once with --merge. The bytes are those of a single run. Choose a \
      --shard-size that gives every worker a file.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let planned = try arguments[plan].map { path throws(CommandError) in
      try FormatPlan(path: path)
    }
    guard arguments[format] != nil || planned != nil || !arguments[tensorFormat].isEmpty else {
      throw .usage("quantize needs --format, --plan or --tensor-format")
    }
    let (dialect, target) = (arguments[dialect], arguments[output])
    let choice = try TensorChoice(
      dialect: dialect, format: arguments[format], includes: arguments[include],
      excludes: arguments[exclude], tensorFormats: arguments[tensorFormat],
      plan: planned?.formats)
    let checkpoint = try CheckpointOptions.open(
      arguments[input], arguments[CheckpointOptions.names])
    try CheckpointOptions.refuseOverwriting(
      target,
      inputs: [arguments[input]] + checkpoint.filePaths
        + [arguments[metadataFrom]].compactMap(\.self))
    try planned?.check(against: checkpoint)
    let keys = try CheckpointOptions.metadata(from: arguments[metadataFrom], for: target)
    let request = choice.request(
      arguments[requantize] ? .allowed : .refused, PolicyOptions.parallelism(arguments))
    let plan = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try checkpoint.plan(request)
    }
    var qualities: [QuantizationQuality]?
    if !arguments[dryRun] {
      var pace = WritingPace()
      qualities = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
        try checkpoint.write(plan, to: target, keys: keys, folder: work(arguments)) { progress in
          let text = pace.text(progress)
          console.progress(text)
        }
      }
    }
    console.write(
      QuantizeReport.report(
        plan, checkpoint, dialect: dialect, output: target, qualities: qualities),
      as: arguments.reportFormat)
    return .done
  }

  private static func work(_ arguments: ParsedArguments) -> FolderWork {
    FolderWork(
      fileByteLimit: arguments[shardSize],
      share: arguments[merge] ? .merge : arguments[shard] ?? .all)
  }
}
