import CallerChecks

/// A NumPy array: what its header says, and how elements are read from the bytes that it heads.
///
/// The bytes are those of a `.npy` file: a file of that kind, or a member of an archive.
struct NpyArray: Sendable {
  /// The file, for errors.
  let path: String
  /// The name in an archive; nil for a file of its own.
  let name: String?
  let shape: [Int]
  let elementCount: Int
  let dtype: TensorDType
  /// Where the elements lie in the bytes.
  let data: Range<Int>

  private let byteOrder: ByteOrder
  private let storageOrder: NpyHeader.StorageOrder

  /// Checks what a header says.
  ///
  /// - Parameter byteCount: The length of the bytes, which the array must fill.
  /// - Throws: `.shapeOverflow`, `.dataTruncated` or `.trailingBytes`.
  init(
    _ header: NpyHeader, _ type: NpyElementType, byteCount: Int, path: String, name: String?
  ) throws(TensorFileError) {
    guard let count = checkedElementCount(header.shape),
      case let (bits, overflow) = count.multipliedReportingOverflow(by: type.dtype.bitWidth),
      !overflow
    else {
      throw .shapeOverflow(path: path, tensor: name ?? "array")
    }
    let available = byteCount - header.dataStart
    guard bits / 8 <= available else {
      throw .dataTruncated(path: path, needed: bits / 8, available: available)
    }
    guard bits / 8 == available else {
      throw .trailingBytes(path: path, count: available - bits / 8)
    }
    self.path = path
    self.name = name
    shape = header.shape
    elementCount = count
    dtype = type.dtype
    data = header.dataStart..<byteCount
    byteOrder = type.byteOrder
    storageOrder = header.storageOrder
  }

  /// Whether elements that follow each other row-major do so in the bytes.
  var isRowMajor: Bool { storageOrder == .rowMajor }

  /// Elements as `Float`, counted row-major.
  ///
  /// - Parameters:
  ///   - elements: Which of them.
  ///   - byteCountBesides: Memory that is needed at the same time.
  ///   - source: Gives the bytes, when memory has been asked for.
  /// - Throws: `.unsupportedDType`, `.notEnoughMemory`, or what the source throws.
  func floats(
    in elements: Range<Int>, byteCountBesides: Int = 0,
    from source: () throws(TensorFileError) -> any ByteSource
  ) throws(TensorFileError) -> [Float] {
    require(
      elements.lowerBound >= 0 && elements.upperBound <= elementCount,
      "elements \(elements) of an array of \(elementCount)")
    guard let encoding = FloatEncoding(dtype) else {
      throw unsupported(TensorDType.floatReadable.map(\.rawValue).joined(separator: ", "))
    }
    func read(_ elements: Range<Int>, copies: Int) throws(TensorFileError) -> [Float] {
      try requireMemory(
        byteCountBesides + copies * 4 * elements.count, path: path, tensor: name)
      return try source().floats(
        elements, as: encoding, byteOrder: byteOrder, dataStart: data.lowerBound)
    }
    guard !isRowMajor else { return try read(elements, copies: 1) }
    // Reordering has both orders in memory.
    let all = rowMajorFromColumnMajor(try read(0..<elementCount, copies: 2), shape: shape)
    return elements == all.indices ? all : Array(all[elements])
  }

  /// All elements as integers, row-major.
  ///
  /// - Throws: `.unsupportedDType` unless the dtype is U8, U16, U32 or U64 and as wide as `Integer`,
  ///   `.notEnoughMemory`, or what the source throws.
  func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    byteCountBesides: Int = 0, from source: () throws(TensorFileError) -> any ByteSource
  ) throws(TensorFileError) -> [Integer] {
    let unsigned: [TensorDType] = [.u8, .u16, .u32, .u64]
    guard unsigned.contains(dtype), dtype.bitWidth == Integer.bitWidth else {
      throw unsupported("U\(Integer.bitWidth)")
    }
    return try patterns(byteCountBesides, copies: 1, source)
  }

  /// The bytes of all elements, row-major and little-endian.
  ///
  /// - Throws: `.notEnoughMemory`, or what the source throws.
  func bytes(
    byteCountBesides: Int = 0, from source: () throws(TensorFileError) -> any ByteSource
  ) throws(TensorFileError) -> [UInt8] {
    switch dtype.bitWidth {
    case 8: try patterns(byteCountBesides, copies: 1, source)
    case 16:
      littleEndianBytes(try patterns(byteCountBesides, copies: 2, source) as [UInt16])
    case 32:
      littleEndianBytes(try patterns(byteCountBesides, copies: 2, source) as [UInt32])
    default:
      littleEndianBytes(try patterns(byteCountBesides, copies: 2, source) as [UInt64])
    }
  }

  /// The bit patterns of all elements, row-major.
  ///
  /// - Parameter copies: How many of them are needed at the same time, besides one for reordering.
  private func patterns<Pattern: FixedWidthInteger>(
    _ byteCountBesides: Int, copies: Int, _ source: () throws(TensorFileError) -> any ByteSource
  ) throws(TensorFileError) -> [Pattern] {
    let copies = isRowMajor ? copies : 2
    try requireMemory(byteCountBesides + copies * data.count, path: path, tensor: name)
    var result: [Pattern] = try source().integers(elementCount, at: data.lowerBound)
    if byteOrder == .big {
      for index in result.indices { result[index] = result[index].byteSwapped }
    }
    return isRowMajor ? result : rowMajorFromColumnMajor(result, shape: shape)
  }

  private func unsupported(_ supported: String) -> TensorFileError {
    .unsupportedDType(path: path, tensor: name, dtype: dtype.rawValue, supported: supported)
  }
}
