import CallerChecks
import UntrustedText

/// Writes a GGUF file piece by piece, which appears complete or not at all.
///
///     var writer = try GGUFWriter(path: "model.gguf", metadata: metadata, tensors: descriptions)
///     for tensor in file.tensors { try writer.write(file.bytes(of: tensor)) }
///     try writer.commit()
///
/// The file is of version 3 and little-endian. Keys and tensors are in the order given, and every
/// tensor is padded with zeros to the alignment, the last one too, as ggml's writers do. What a reader
/// gave of such a file is written back byte for byte.
///
/// Source: ggml's description of the format and its writer, gguf.cpp.
public struct GGUFWriter: ~Copyable {
  private var file: AtomicFileWriter
  private let tensors: [GGUFTensorDescription]
  private let alignment: Int
  /// The tensor that the next byte belongs to; the number of tensors at the end.
  private var index = 0
  /// The bytes that are missing to this tensor; 0 only at the end.
  private var missing = 0

  /// Creates a temporary file beside the target and writes the header.
  ///
  /// - Parameters:
  ///   - path: The file to create or replace, as for `AtomicFileWriter`.
  ///   - metadata: All keys and values. `general.alignment` states the alignment, which is 32 without
  ///     it.
  ///   - tensors: The tensors in the order of their bytes.
  /// - Precondition: The names of the tensors differ, there are at most `GGUFFile.countLimit`, and
  ///   their bytes can be counted in an `Int`. The alignment, if it is stated, is a `uint32`, and a
  ///   power of two up to 2^20.
  /// - Throws: `.badEntry` for a name of more than 63 bytes, which ggml cannot read, or
  ///   `.headerTooLong`, before anything is created; what `AtomicFileWriter` throws.
  public init(
    path: String, metadata: GGUFMetadata, tensors: [GGUFTensorDescription]
  ) throws(TensorFileError) {
    let alignment = Self.alignment(of: metadata)
    let header = try Self.header(path, metadata, tensors, alignment)
    var file = try AtomicFileWriter(path: path)
    try file.write(header)
    self.file = file
    self.tensors = tensors
    self.alignment = alignment
    skipEmptyTensors()
  }

  /// Appends bytes of the tensors, in order and in pieces of any size.
  ///
  /// - Precondition: The tensors have these bytes.
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ bytes: RawSpan) throws(TensorFileError) {
    try bytes.withUnsafeBytes { (buffer) throws(TensorFileError) in try write(buffer) }
  }

  /// Appends bytes of the tensors, in order and in pieces of any size.
  ///
  /// - Precondition: The tensors have these bytes.
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ bytes: [UInt8]) throws(TensorFileError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(TensorFileError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      require(index < tensors.count, "\(rest.count) bytes more than the tensors have")
      let part = rest.prefix(missing)
      try file.write(UnsafeRawBufferPointer(rebasing: part))
      rest = rest.dropFirst(part.count)
      missing -= part.count
      if missing == 0 {
        try file.write(Self.padding(after: tensors[index].byteCount, alignment))
        index += 1
        skipEmptyTensors()
      }
    }
  }

  /// Gives the finished file its name.
  ///
  /// - Precondition: All bytes of all tensors are written.
  /// - Throws: `.writeFailed` if closing or renaming fails; the temporary file is then removed.
  public consuming func commit() throws(TensorFileError) {
    require(
      index == tensors.count,
      "\(missing) bytes of tensor \(index + 1) of \(tensors.count) are missing")
    try file.commit()
  }

  private mutating func skipEmptyTensors() {
    while index < tensors.count, tensors[index].byteCount == 0 { index += 1 }
    missing = index < tensors.count ? tensors[index].byteCount : 0
  }

  // MARK: Header

  private static func alignment(of metadata: GGUFMetadata) -> Int {
    let key = GGUFLayout.alignmentKey
    guard let value = metadata[key] else { return GGUFLayout.defaultAlignment }
    guard case .uint32(let number) = value, GGUFLayout.isAlignment(Int(number)) else {
      refuse(
        "\(key) is not a uint32 and a power of two up to \(GGUFLayout.alignmentLimit): \(value)")
    }
    return Int(number)
  }

  /// Zeros from the end of some bytes to the next multiple of the alignment.
  private static func padding(after byteCount: Int, _ alignment: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: GGUFLayout.padding(after: byteCount, to: alignment))
  }

  private static func header(
    _ path: String, _ metadata: GGUFMetadata, _ tensors: [GGUFTensorDescription], _ alignment: Int
  ) throws(TensorFileError) -> [UInt8] {
    require(
      tensors.count <= GGUFFile.countLimit,
      "\(tensors.count) tensors, more than \(GGUFFile.countLimit)")
    var header = FileSignature.ggufMagic
    header.appendGGUF(GGUFLayout.version)
    header.appendGGUF(UInt64(tensors.count))
    header.appendGGUF(UInt64(metadata.entries.count))
    header.appendGGUF(metadata)
    var names: Set<ExactText> = []
    var offset = 0
    for tensor in tensors {
      require(
        names.insert(ExactText(tensor.name)).inserted, "two tensors are named '\(tensor.name)'")
      let length = tensor.name.utf8.count
      guard length <= GGUFLayout.writtenNameLimit else {
        throw .badEntry(
          path: path, tensor: tensor.name,
          reason: "name of \(length) bytes, of which GGUF has \(GGUFLayout.writtenNameLimit)")
      }
      header.appendGGUF(tensor, offset: offset)
      guard let next = GGUFLayout.start(after: tensor, at: offset, alignment) else {
        refuse("the bytes of \(tensors.count) tensors are beyond \(Int.max)")
      }
      offset = next
    }
    guard header.count <= GGUFFile.headerLimit else {
      throw .headerTooLong(
        path: path, length: UInt64(header.count), limit: GGUFFile.headerLimit)
    }
    return header + padding(after: header.count, alignment)
  }
}
