import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import SystemResources
import TensorFiles

/// Encodes an array into a block format.
enum EncodeCommand: Command {
  static let input = Argument.required(
    "IN", .path, help: "an npy file of float64, float32 or float16; - is standard input")
  static let format = Option.required(
    "format", .text("FORMAT"), help: "the format's id; see 'fmtbench list'")
  static let block = Option.optional(
    "block", .integer(in: BlockShape.extents),
    help: "the block length, for formats with that parameter")
  static let output = Option.required(
    "output", letter: "o", .path, help: "the safetensors file to write; - is standard output")

  static let codes = Option.flag(
    "codes", help: "also store the codes unpacked, one integer for an element")

  static let declaration = CommandDeclaration(
    name: "encode", abstract: "Encodes an npy array and stores its codes and scales",
    output: .text, arguments: [input],
    options: [
      format, output, block, codes, PolicyOptions.axis, PolicyOptions.threads,
    ] + EncodingOptions.all,
    examples: [
      .init(
        line: "encode weights.npy --format mxfp4 -o weights.safetensors", purpose: "MXFP4"),
      .init(
        line: "encode w.npy --format 'nvfp4(block=32)' --codes -o w.safetensors",
        purpose: "codes for a program that does not unpack"),
    ],
    discussion: [
      """
      Writes the tensors 'packed' (the codes, each row of the last axis packed into bytes from the \
      lowest bit up), what else the format stores under the names of its sheet, such as 'scales' \
      (one per block), 'subscales' (packed as codes are) and 'tensor_scale', and with --codes \
      'codes' (one integer for each, in the input's shape). The metadata names layout, format, shape, axis and policies. What was \
      written is told on standard error.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let format = try format(arguments)
    let policy = try EncodingOptions.policy(of: format, arguments)
    let tensorScale = try EncodingOptions.tensorScale(
      of: format, arguments, includesBlockScale: true)

    let path = arguments[input]
    try CommandError.refuseOverwriting(arguments[output], of: "--output", inputs: [path])
    let (values, dtype) = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      let file = try NpyFile(path: path, elements: .floats)
      return (Tensor(try file.floats(), shape: file.shape), file.dtype)
    }
    if dtype == .f64 { console.warn(aboutRoundingOf: path) }
    let axis = arguments[PolicyOptions.axis]
    let rank = max(values.shape.count, 1)
    guard (-rank..<rank).contains(axis) else {
      throw .usage("--axis: \(axis) is not an axis of \(path), whose shape is \(values.shape)")
    }
    // The planes, and codes of up to four bytes in two forms on their way to the file.
    let stored = StorageLayout(of: format.layout, shape: values.shape, axis: axis).byteCount
    let unpacked = arguments[codes] ? 8 * values.elements.count : 0
    try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
      try MemoryBudget.require(stored + unpacked, for: "encoding \(path) to \(format.id)")
    }
    let encoded = values.quantized(
      to: format, axis: axis, policy: policy, tensorScale: tensorScale,
      parallelism: PolicyOptions.parallelism(arguments))
    let target = arguments[output]
    try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try QuantizedTensorFile.write(
        encoded, arguments[codes] ? .packedAndUnpacked : .packed, to: target)
    }
    let bits = NumberStyle.trimmed(decimals: 4).text(encoded.bitsPerElement)
    console.note(
      "wrote \(target): \(format.id) of shape \(ShapeText.text(of: encoded.shape)), "
        + "\(encoded.storedByteCount) bytes of codes and scales, \(bits) bits an element")
    return .done
  }

  private static func format(_ arguments: ParsedArguments) throws(CommandError) -> any BlockFormat {
    guard arguments[block] == nil || !arguments[format].contains("block=") else {
      throw .usage("--block and the block of --format \(arguments[format]) exclude each other")
    }
    do throws(FormatNameError) {
      return try FormatCatalog.format(id: arguments[format], block: arguments[block])
    } catch {
      throw ValueFailure(error).commandError(
        "--format", text: arguments[format], accepted: "a format")
    }
  }
}
