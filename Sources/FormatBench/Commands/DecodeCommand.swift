import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import SystemResources
import TensorFiles

/// Decodes what `encode` wrote.
enum DecodeCommand: Command {
  static let input = Argument.required(
    "IN", .path, help: "a safetensors file that encode wrote; - is standard input")
  static let output = Option.required(
    "output", letter: "o", .path, help: "the npy file to write, as F32; - is standard output")

  static let declaration = CommandDeclaration(
    name: "decode", abstract: "Decodes a file that encode wrote into an npy array of F32",
    output: .text, arguments: [input], options: [output, PolicyOptions.threads],
    examples: [.init(line: "decode weights.safetensors -o y.npy", purpose: "back to F32")])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let path = arguments[output]
    try CommandError.refuseOverwriting(path, of: "--output", inputs: [arguments[input]])
    let tensor = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try QuantizedTensor(contentsOf: arguments[input])
    }
    try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
      try MemoryBudget.require(4 * tensor.elementCount, for: "decoding \(arguments[input])")
    }
    let values = tensor.dequantized(parallelism: PolicyOptions.parallelism(arguments))
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try NpyWriter.write(floats: values.elements, shape: values.shape, to: path)
    }
    console.note(
      "wrote \(path): F32 of shape \(ShapeText.text(of: values.shape)), from \(tensor.format.id)")
    return .done
  }
}
