import CallerChecks
import UntrustedText

/// A GGUF file, open and checked.
///
/// Opening reads the header only; tensors are read when they are asked for. All that the header
/// claims is checked before the initialiser returns, in time and memory that grow no faster than the
/// header.
///
/// Read are versions 2 and 3, little-endian. The checks follow ggml's reader: keys and names occur
/// once, arrays hold no arrays, tensors have at most four extents and whole blocks to a row, and they
/// follow each other in the order of the header, each padded to the alignment and without holes. As
/// there, bytes after the last tensor mean nothing, so that its padding may be missing. Different
/// are:
///
/// - Keys, names and values that are strings must be UTF-8, and truth values 0 or 1. Strings in arrays
///   may be any bytes.
/// - Names of tensors may have up to `nameLimit` bytes instead of 63.
/// - A header may have `headerLimit` bytes, and `countLimit` keys and tensors, at most.
///
/// One file of a model that is split over several is a file like any other; `GGUFModel` opens all.
///
/// The file stays open. Replacing it by a rename changes nothing; reading what others have cut off is
/// an error. What comes through a pipe is held in memory.
///
/// Source: ggml's description of the format and its reader, gguf.cpp.
public struct GGUFFile: Sendable {
  /// The largest header accepted, in bytes.
  ///
  /// Vocabularies of today take some 20 MB of it.
  public static let headerLimit = 1 << 28
  /// The longest key or tensor name accepted, in bytes: the format's limit of a key.
  public static let nameLimit = 65_535
  /// The most keys, and the most tensors, of a file.
  public static let countLimit = 1 << 20

  /// The path the file was opened by.
  public var path: String { file.path }
  /// The version of the format, 2 or 3.
  public let version: Int
  /// What the offsets of all tensors are multiples of, from the start of the data, in bytes.
  public let alignment: Int
  /// The keys and values in the order of the file.
  public let metadata: GGUFMetadata
  /// The tensors in the order of the file, which is that of their bytes.
  public let tensors: [GGUFTensorInfo]
  /// From the first byte of the first tensor to the last of the last one.
  ///
  /// The range is empty at the end of the header if there are no tensors.
  public let dataRange: Range<Int>

  package let file: InputFile
  private let indices: [ExactText: Int]

  /// Opens and checks a file; `-` is standard input.
  ///
  /// - Throws: A `TensorFileError` that names the first cause found.
  public init(path: String) throws(TensorFileError) {
    try self.init(InputFile(path: path))
  }

  package init(_ file: InputFile) throws(TensorFileError) {
    let header = try GGUFHeader(file)
    self.file = file
    version = header.version
    alignment = header.alignment
    metadata = header.metadata
    tensors = header.tensors
    dataRange = header.dataRange
    indices = header.indices
  }

  /// The tensor whose name has the bytes of this one, or nil.
  public func tensor(named name: String) -> GGUFTensorInfo? {
    indices[ExactText(name)].map { tensors[$0] }
  }

  // MARK: Reading

  /// The stored blocks of a tensor.
  ///
  /// - Parameter tensor: One of `tensors`.
  /// - Throws: `.notEnoughMemory`, or why the bytes cannot be read.
  public func bytes(of tensor: GGUFTensorInfo) throws(TensorFileError) -> [UInt8] {
    try bytes(of: tensor, in: 0..<tensor.byteRange.count)
  }

  /// A part of the stored blocks of a tensor, for tensors that are larger than memory.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - range: Which of its bytes, counted from its first.
  /// - Precondition: The tensor has these bytes.
  /// - Throws: `.notEnoughMemory`, or why the bytes cannot be read.
  public func bytes(
    of tensor: GGUFTensorInfo, in range: Range<Int>
  ) throws(TensorFileError) -> [UInt8] {
    let place = place(of: range, in: tensor)
    try file.requireMemory(range.count, for: tensor.name)
    return try file.bytes(in: place)
  }

  /// Fills memory with the blocks of a tensor from one of its bytes on.
  ///
  /// - Parameters:
  ///   - buffer: The memory, of no particular alignment.
  ///   - tensor: One of `tensors`.
  ///   - offset: The first byte, counted from the tensor's first.
  /// - Precondition: The tensor has these bytes.
  /// - Throws: Why the bytes cannot be read.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, of tensor: GGUFTensorInfo, at offset: Int
  ) throws(TensorFileError) {
    let (end, overflow) = offset.addingReportingOverflow(buffer.count)
    require(
      offset >= 0 && !overflow,
      "\(buffer.count) bytes from \(offset) on of a tensor of \(tensor.byteRange.count)")
    try file.read(into: buffer, at: place(of: offset..<end, in: tensor).lowerBound)
  }

  /// Where bytes of a tensor lie in the file.
  private func place(of range: Range<Int>, in tensor: GGUFTensorInfo) -> Range<Int> {
    require(
      range.lowerBound >= 0 && range.upperBound <= tensor.byteRange.count,
      "bytes \(range) of a tensor of \(tensor.byteRange.count)")
    let start = tensor.byteRange.lowerBound
    return start + range.lowerBound..<start + range.upperBound
  }
}
