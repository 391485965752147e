import UntrustedText

/// A safetensors file, open and checked.
///
/// Opening reads the header only; tensors are read when they are asked for. All that
/// the header claims is checked before the initialiser returns: tensors cover the data exactly, without
/// holes, overlaps or trailing bytes, and each has as many bytes as its dtype and shape need.
///
/// The checks follow the reference implementation, except that duplicate tensor names and duplicate
/// keys, of which it silently keeps the last, are errors here. Names are compared by their bytes:
/// two Unicode spellings of a letter are two tensors. Two spellings of one key of the metadata are
/// refused, as are extents beyond 2^63 - 1, shapes of more than 64 extents, entries of more than 64
/// unknown keys, and deep nesting.
///
/// The file stays open. Replacing it by a rename changes nothing; reading what others have cut off is
/// an error. What comes through a pipe is held in memory.
///
/// Source: the safetensors format description and reference reader.
public struct SafetensorsFile: Sendable {
  /// The largest header accepted, in bytes: the reference implementation's limit.
  public static let headerLimit = FileSignature.safetensorsHeaderLimit

  /// The path the file was opened by.
  public var path: String { file.path }
  /// The tensors in the order of their bytes.
  public let tensors: [TensorInfo]
  /// The free-form text of the header's `__metadata__`; empty if there is none.
  public let metadata: [String: String]

  /// The size of the field before the header that holds the header's length.
  static let lengthSize = FileSignature.safetensorsLengthSize

  package let file: InputFile
  private let indices: [ExactText: Int]

  /// Opens and checks a file; `-` is standard input.
  ///
  /// - Throws: A `TensorFileError` that names the first cause found.
  public init(path: String) throws(TensorFileError) {
    try self.init(InputFile(path: path))
  }

  init(_ file: InputFile) throws(TensorFileError) {
    let dataStart = try Self.dataStart(of: file)
    let text = try file.bytes(in: Self.lengthSize..<dataStart)
    let header = try SafetensorsHeader(text, path: file.path, dataStart: dataStart)
    self.file = file
    tensors = try header.checkedLayout(dataCount: file.count - dataStart)
    metadata = header.metadata
    indices = Dictionary(uniqueKeysWithValues: zip(tensors.lazy.map { ExactText($0.name) }, 0...))
  }

  /// The tensor whose name has the bytes of this one, or nil.
  public func tensor(named name: String) -> TensorInfo? {
    indices[ExactText(name)].map { tensors[$0] }
  }

  /// The offset at which the data starts: past the length field and the header.
  private static func dataStart(of file: InputFile) throws(TensorFileError) -> Int {
    guard file.count >= lengthSize else {
      throw try foreign(file)
        ?? .headerTruncated(path: file.path, needed: lengthSize, available: file.count)
    }
    let start = try file.bytes(in: 0..<lengthSize)
    let length = start.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(headerLimit) else {
      throw try foreign(file) ?? .headerTooLong(path: file.path, length: length, limit: headerLimit)
    }
    let dataStart = lengthSize + Int(length)
    guard dataStart <= file.count else {
      throw .headerTruncated(path: file.path, needed: dataStart, available: file.count)
    }
    return dataStart
  }

  /// The error about a file whose first bytes are those of another kind; nil for all others.
  private static func foreign(_ file: InputFile) throws(TensorFileError) -> TensorFileError? {
    try FileSignature.find(in: file).map {
      .unknownType(path: file.path, expected: "a safetensors file", found: $0.rawValue)
    }
  }
}

extension SafetensorsFile: TensorFileFormat {
  package static let name = "safetensors"
  package static let nameEnding = ".safetensors"
  package static let signature = FileSignature.safetensors

  package init(_ file: InputFile, options: TensorFileOptions) throws(TensorFileError) {
    // A checkpoint may hold tensors of any kind beside those that are asked for.
    try self.init(file)
  }

  package var hasNames: Bool { true }
  package func readsParts(of tensor: TensorInfo) -> Bool { true }
}
