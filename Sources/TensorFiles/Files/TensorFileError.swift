/// Why a tensor file could not be read or written.
///
/// Every case carries the path it is about, and the offset, tensor or numbers that locate the
/// cause. Offsets count bytes from the start of the file. `description` is a single line.
public enum TensorFileError: Error, Equatable, Sendable {
  // MARK: Opening

  /// Nothing exists at the path.
  case missing(path: String)
  /// The path names a directory.
  case isDirectory(path: String)
  /// The path names something whose bytes have no end or no order: a device, or a socket.
  case unsupportedFile(path: String)
  /// The operating system refused to open or read the file, for the given reason.
  case unreadable(path: String, reason: String)
  /// The file holds no byte.
  case emptyFile(path: String)
  /// A pipe delivers more bytes than the limit of what is held.
  case streamTooLong(path: String, limit: Int)
  /// What is read needs more memory than there is; `amounts` says how much, and how much there is.
  case notEnoughMemory(path: String, tensor: String?, amounts: String)
  /// The file is not of the type that was expected, but of the one found, if its first bytes tell.
  case unknownType(path: String, expected: String, found: String? = nil)
  /// The file is of a known type, but of a version that is not.
  case unsupportedVersion(path: String, major: Int, minor: Int)

  // MARK: Header text

  /// The file ends inside its header: the header needs `needed` bytes, the file has `available`.
  case headerTruncated(path: String, needed: Int, available: Int)
  /// The header claims, or would need, more bytes than the limit.
  case headerTooLong(path: String, length: UInt64, limit: Int)
  /// A string of the header is not well-formed UTF-8 at the offset.
  case headerNotUTF8(path: String, offset: Int)
  /// The header breaks the grammar of its type at the offset.
  case headerSyntax(path: String, offset: Int, reason: String)
  /// The header nests deeper than the limit at the offset.
  case headerTooDeep(path: String, offset: Int, limit: Int)
  /// A key occurs twice in one object of the header, the second time at the offset.
  case duplicateKey(path: String, key: String, offset: Int)
  /// The header's own fields are missing or of the wrong kind.
  case badHeader(path: String, reason: String)

  // MARK: Archives

  /// The records that say where the members of an archive lie are missing or contradict the file.
  case badArchive(path: String, reason: String)
  /// A member of an archive is not what the archive says, or what its name says.
  case badMember(path: String, member: String, reason: String)

  // MARK: Tensors

  /// A tensor's name occurs twice.
  case duplicateTensor(path: String, tensor: String)
  /// A tensor's entry lacks a field or has one of the wrong kind.
  case badEntry(path: String, tensor: String, reason: String)
  /// A tensor's element type is not one of `TensorDType`, or in a GGUF file the number of none of
  /// `GGMLType`.
  case unknownDType(path: String, tensor: String, dtype: String)
  /// A tensor's element or bit count does not fit in 64 bits.
  case shapeOverflow(path: String, tensor: String)
  /// A tensor's byte count by dtype and shape is not the one its offsets span.
  case sizeMismatch(path: String, tensor: String, expected: Int, found: Int)
  /// A tensor starts before the previous one ends. Both numbers are offsets.
  case overlap(path: String, tensor: String, start: Int, previousEnd: Int)
  /// A tensor starts after the previous one ends. Both numbers are offsets.
  case hole(path: String, tensor: String, start: Int, previousEnd: Int)

  // MARK: Data

  /// The file ends before its data does: `needed` bytes of data are described, `available` are there.
  case dataTruncated(path: String, needed: Int, available: Int)
  /// The file goes on for `count` bytes after its data.
  case trailingBytes(path: String, count: Int)
  /// The file became shorter while it was in use: it had `needed` bytes, of which `available` are left
  /// at most.
  case cutShort(path: String, needed: Int, available: Int)
  /// The element type exists but cannot be read in the way that was asked for.
  case unsupportedDType(path: String, tensor: String?, dtype: String, supported: String)
  /// The element type of a NumPy array says how many bytes an element has, but not what they are.
  ///
  /// `readingVoidAs` of the readers says what they are; `candidates` are the types of that size which
  /// it may name.
  case voidDType(path: String, tensor: String?, dtype: String, candidates: [TensorDType])

  // MARK: Writing

  /// The operating system refused an operation on the way to the finished file.
  case writeFailed(path: String, operation: String, reason: String)
}
