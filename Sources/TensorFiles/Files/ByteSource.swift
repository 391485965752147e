import CallerChecks

/// Bytes that are read where they are asked for: of a file, of a part of one, or of what one expands to.
package protocol ByteSource: Sendable {
  /// The file that the bytes come from, for errors.
  var path: String { get }
  /// The number of bytes.
  var count: Int { get }

  /// Fills memory with the bytes from an offset on.
  ///
  /// - Throws: Why they cannot be read.
  /// - Precondition: The bytes lie within the source.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(TensorFileError)
}

extension ByteSource {
  /// The bytes of a range.
  ///
  /// - Throws: What `read(into:at:)` throws, and `.notEnoughMemory`.
  /// - Precondition: The range lies within the source.
  package func bytes(in range: Range<Int>) throws(TensorFileError) -> [UInt8] {
    try requireMemory(range.count, for: nil)
    return try [UInt8](unsafeUninitializedCapacity: range.count) {
      (buffer, initialisedCount) throws(TensorFileError) in
      let bytes = UnsafeMutableBufferPointer(rebasing: buffer[..<range.count])
      try read(into: UnsafeMutableRawBufferPointer(bytes), at: range.lowerBound)
      initialisedCount = range.count
    }
  }

  /// All bytes; see `bytes(in:)`.
  package func bytes() throws(TensorFileError) -> [UInt8] { try bytes(in: 0..<count) }

  /// Refuses to read more than there is memory for.
  ///
  /// - Parameter tensor: What is read, if it has a name.
  package func requireMemory(_ byteCount: Int, for tensor: String?) throws(TensorFileError) {
    try TensorFiles.requireMemory(byteCount, path: path, tensor: tensor)
  }
}

/// A part of a file, read in place.
struct FilePart: ByteSource {
  let file: InputFile
  /// Where the bytes lie in the file.
  let range: Range<Int>

  var path: String { file.path }
  var count: Int { range.count }

  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(TensorFileError) {
    require(
      offset >= 0 && offset <= count - buffer.count,
      "\(buffer.count) bytes at \(offset) outside a part of \(count)")
    try file.read(into: buffer, at: range.lowerBound + offset)
  }
}

/// Bytes in memory that were made of a file's.
struct HeldBytes: ByteSource {
  let path: String
  let bytes: [UInt8]

  var count: Int { bytes.count }

  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(TensorFileError) {
    require(
      offset >= 0 && offset <= count - buffer.count,
      "\(buffer.count) bytes at \(offset) outside \(count) held")
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
    }
  }
}
