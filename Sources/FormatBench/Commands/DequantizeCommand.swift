import CommandLineToolkit
import QuantizedCheckpoints

/// Writes the values of a quantized checkpoint.
enum DequantizeCommand: Command {
  static let input = Argument.required("SRC", .path, help: "a checkpoint: a file or a folder")
  static let output = Option.required(
    "output", letter: "o", .path,
    help: """
      what to write: one file for a name that ends in .safetensors, the only tensor for .npy, \
      otherwise a folder
      """)
  static let type = Option.optional(
    "type", .choice("type", of: ValueType.self),
    help: "the type of all values; f32 for quantized tensors and their own for others by default")

  static let declaration = CommandDeclaration(
    name: "dequantize", abstract: "Writes the values of a quantized checkpoint",
    output: .text, arguments: [input],
    options: [output, CheckpointOptions.names, type, CheckpointOptions.threads],
    examples: [
      .init(line: "dequantize model-nvfp4 --output model.safetensors", purpose: "one file of F32"),
      .init(line: "dequantize model.gguf --type bf16 -o model", purpose: "a folder of BF16"),
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      Tensors have the names and shapes that programs know them by, and the values that their \
      producer's own code gives in FP32; another type is rounded to once, at the end. What stopped \
      goes on: a folder is written as FOLDER.partial and renamed when it is complete.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let checkpoint = try CheckpointOptions.open(
      arguments[input], arguments[CheckpointOptions.names])
    let target = arguments[output]
    try CheckpointOptions.refuseOverwriting(
      target, inputs: [arguments[input]] + checkpoint.filePaths)
    var pace = WritingPace()
    try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try checkpoint.writeValues(
        to: target, as: arguments[type], parallelism: PolicyOptions.parallelism(arguments)
      ) { progress in
        let text = pace.text(progress)
        console.progress(text)
      }
    }
    console.note("wrote \(target): the values of \(checkpoint.tensors.count) tensors")
    return .done
  }
}
