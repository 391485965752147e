/// The contents of a `.npy` header.
struct NpyHeader {
  /// Which index of an array varies fastest in the file.
  enum StorageOrder: Sendable {
    /// The last one.
    case rowMajor
    /// The first one.
    case columnMajor
  }

  /// The element type as NumPy writes it, such as `<f4`.
  let descriptor: String
  let storageOrder: StorageOrder
  let shape: [Int]
  /// The offset in the file of the first element.
  let dataStart: Int

  /// How every `.npy` file begins.
  static let magic = FileSignature.npyMagic

  /// More bytes than NumPy's headers have, unless they describe fields.
  private static let usualByteCount = 512

  /// Where the dictionary's text lies in a file with these first bytes; the data follows it.
  private static func textRange(
    in bytes: UnsafeRawBufferPointer, path: String
  ) throws(TensorFileError) -> Range<Int> {
    func require(_ needed: Int) throws(TensorFileError) {
      guard bytes.count >= needed else {
        throw .headerTruncated(path: path, needed: needed, available: bytes.count)
      }
    }
    guard bytes.starts(with: magic.prefix(bytes.count)) else {
      throw .unknownType(
        path: path, expected: "a NumPy array file", found: FileSignature(bytes)?.rawValue)
    }
    try require(magic.count + 2)
    let (major, minor) = (Int(bytes[magic.count]), Int(bytes[magic.count + 1]))
    guard (1...3).contains(major), minor == 0 else {
      throw .unsupportedVersion(path: path, major: major, minor: minor)
    }
    let lengthSize = major == 1 ? 2 : 4
    let start = magic.count + 2 + lengthSize
    try require(start)
    let length = bytes[(magic.count + 2)..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= NpyFile.headerLimit else {
      throw .headerTooLong(path: path, length: UInt64(length), limit: NpyFile.headerLimit)
    }
    return start..<start + length
  }

  /// Reads the header at the start of a file.
  ///
  /// - Parameters:
  ///   - byteCount: The bytes that the file has.
  ///   - path: The file, for errors.
  ///   - start: Its first bytes, as many as are asked for.
  init(
    byteCount: Int, path: String, start: (Int) throws(TensorFileError) -> [UInt8]
  ) throws(TensorFileError) {
    var bytes = try start(min(byteCount, Self.usualByteCount))
    let text = try bytes.withUnsafeBufferPointer { (bytes) throws(TensorFileError) in
      try Self.textRange(in: UnsafeRawBufferPointer(bytes), path: path)
    }
    guard text.upperBound <= byteCount else {
      throw .headerTruncated(path: path, needed: text.upperBound, available: byteCount)
    }
    if text.upperBound > bytes.count { bytes = try start(text.upperBound) }
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(TensorFileError) in
      try NpyHeader(UnsafeRawBufferPointer(bytes), text: text, path: path)
    }
  }

  private init(
    _ bytes: UnsafeRawBufferPointer, text: Range<Int>, path: String
  ) throws(TensorFileError) {
    var scanner = NpyHeaderScanner(
      UnsafeRawBufferPointer(rebasing: bytes[text]), path: path, baseOffset: text.lowerBound)
    var descriptor: String?
    var isColumnMajor: Bool?
    var shape: [Int]?
    try scanner.beginDictionary()
    while let key = try scanner.nextKey() {
      let isNew: Bool
      switch key {
      case "descr":
        isNew = descriptor == nil
        descriptor = try scanner.descriptor()
      case "fortran_order":
        isNew = isColumnMajor == nil
        isColumnMajor = try scanner.truthValue()
      case "shape":
        isNew = shape == nil
        shape = try scanner.naturalTuple()
      default:
        throw .badHeader(path: path, reason: "unknown key '\(key)'")
      }
      guard isNew else { throw .duplicateKey(path: path, key: key, offset: scanner.offset) }
    }
    try scanner.finish()
    guard let descriptor else { throw .badHeader(path: path, reason: "has no 'descr'") }
    guard let isColumnMajor else { throw .badHeader(path: path, reason: "has no 'fortran_order'") }
    guard let shape else { throw .badHeader(path: path, reason: "has no 'shape'") }
    self.descriptor = descriptor
    self.shape = shape
    dataStart = text.upperBound
    storageOrder = isColumnMajor ? .columnMajor : .rowMajor
  }
}
