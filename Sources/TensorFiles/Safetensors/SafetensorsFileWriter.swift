import CallerChecks

/// Writes a safetensors file piece by piece, so that its tensors need not be in memory.
///
/// The layout is that of `SafetensorsWriter`. Bytes may come in any order, each once; the file appears
/// under its name when it is complete:
///
/// ```swift
/// let tensors = [TensorDescription(name: "weight", dtype: .bf16, shape: [4096, 4096])]
/// var writer = try SafetensorsFileWriter(path: "model.safetensors", tensors: tensors)
/// for piece in pieces { try writer.write(piece.bytes, of: 0, at: piece.offset) }
/// try writer.commit()
/// ```
public struct SafetensorsFileWriter: ~Copyable {
  /// The tensors, in the order of the caller.
  public let tensors: [TensorDescription]
  private var file: AtomicFileWriter
  private let starts: [Int]
  private var missing: [Int]

  /// Writes the header to a temporary file beside the target.
  ///
  /// - Parameters:
  ///   - path: The file to create or replace.
  ///   - tensors: What it will hold, in any order.
  ///   - metadata: Text for the header's `__metadata__`, which is left out if this is empty.
  ///   - style: Whose order of tensors and words the file has.
  /// - Precondition: The names of the tensors differ.
  /// - Throws: What `AtomicFileWriter` throws, `.headerTooLong` if readers would refuse the header,
  ///   `.unsupportedFile` for a pipe or a device, whose bytes have to come in their order.
  public init(
    path: String, tensors: [TensorDescription], metadata: [String: String] = [:],
    style: SafetensorsStyle = .reference
  ) throws(TensorFileError) {
    let layout = SafetensorsLayout(tensors, metadata, style)
    let start = try layout.start(of: path)
    var file = try AtomicFileWriter(path: path)
    guard file.writesAnywhere else { throw .unsupportedFile(path: path) }
    try file.write(start)
    self.file = file
    self.tensors = tensors
    starts = layout.offsets.map { start.count + $0 }
    missing = tensors.map(\.byteCount)
  }

  /// Writes bytes of a tensor.
  ///
  /// - Parameters:
  ///   - bytes: The bytes as stored.
  ///   - tensor: The tensor's index in `tensors`.
  ///   - offset: Where they lie in the tensor.
  /// - Precondition: They lie in the tensor, and none of them has been written.
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(
    _ bytes: [UInt8], of tensor: Int, at offset: Int
  ) throws(TensorFileError) {
    let count = tensors[tensor].byteCount
    require(
      offset >= 0 && offset <= count - bytes.count && bytes.count <= missing[tensor],
      "\(bytes.count) bytes at \(offset) of '\(tensors[tensor].name)', which has \(count) and lacks "
        + "\(missing[tensor])")
    missing[tensor] -= bytes.count
    let start = starts[tensor] + offset
    try bytes.withUnsafeBufferPointer { (buffer) throws(TensorFileError) in
      try file.write(UnsafeRawBufferPointer(buffer), at: start)
    }
  }

  /// Gives the finished file its name.
  ///
  /// - Precondition: All bytes have been written.
  /// - Throws: `.writeFailed` if closing or renaming fails; the temporary file is then removed.
  public consuming func commit() throws(TensorFileError) {
    if let index = missing.firstIndex(where: { $0 != 0 }) {
      refuse("'\(tensors[index].name)' lacks \(missing[index]) of its bytes")
    }
    try file.commit()
  }
}
