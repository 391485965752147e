/// The contents of a `.npy` header.
struct NpyHeader {
  /// Which index of an array varies fastest in the file.
  enum StorageOrder: Sendable {
    /// The last one.
    case rowMajor
    /// The first one.
    case columnMajor
  }

  let dtype: TensorDType
  let byteOrder: ByteOrder
  let storageOrder: StorageOrder
  let shape: [Int]
  /// The offset in the file of the first element.
  let dataStart: Int

  /// How every `.npy` file begins.
  static let magic = FileSignature.npyMagic

  /// The bytes at the start of a file among which every header that is accepted ends.
  static let largestByteCount = magic.count + 2 + 4 + NpyFile.headerLimit

  /// Where the dictionary's text lies in the first bytes of a file; the data follows it.
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
    try require(start + length)
    return start..<start + length
  }

  /// Reads the header at the start of a file.
  ///
  /// - Parameters:
  ///   - bytes: The first `largestByteCount` bytes of the file, or all of a shorter one.
  ///   - path: The file, for errors.
  ///   - elements: The element types that an error lists.
  init(
    _ bytes: UnsafeRawBufferPointer, path: String, elements: ElementSelection
  ) throws(TensorFileError) {
    let text = try Self.textRange(in: bytes, path: path)
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
    let types =
      switch elements {
      case .any: Self.types
      case .floats: Self.types.filter { FloatEncoding($0.value.dtype) != nil }
      }
    guard let (dtype, byteOrder) = types[descriptor] else {
      throw .unsupportedDType(
        path: path, tensor: nil, dtype: "'\(descriptor)'",
        supported: types.keys.sorted().joined(separator: " "))
    }
    self.dtype = dtype
    self.byteOrder = byteOrder
    self.shape = shape
    dataStart = text.upperBound
    storageOrder = isColumnMajor ? .columnMajor : .rowMajor
  }

  private static let types: [String: (dtype: TensorDType, byteOrder: ByteOrder)] = [
    "<f8": (.f64, .little), ">f8": (.f64, .big),
    "<f4": (.f32, .little), ">f4": (.f32, .big), "<f2": (.f16, .little), ">f2": (.f16, .big),
    "|u1": (.u8, .little), "<u2": (.u16, .little), "<u4": (.u32, .little),
  ]
}
