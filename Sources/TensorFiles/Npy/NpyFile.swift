import CallerChecks

/// A NumPy `.npy` file with one array, open and checked.
///
/// Supported are format versions 1.0, 2.0 and 3.0, and the element types `<f8`, `<f4` and `<f2`, the
/// same with `>`, `|u1`, `<u2` and `<u4`. Opening reads the header only. The file must be exactly as
/// long as its header says. Arrays stored in Fortran order are read like any other: elements always
/// come row-major. Shapes may be those of Python 2, `(2L, 3L)`.
///
/// The file stays open. Replacing it by a rename changes nothing; reading what others have cut off is
/// an error. What comes through a pipe is held in memory.
///
/// Source: NumPy's description of the NPY format, NEP 1.
public struct NpyFile: Sendable {
  /// The longest header accepted, in bytes.
  ///
  /// NumPy's own are a few hundred bytes at most.
  public static let headerLimit = 65_536

  /// The path the file was opened by.
  public var path: String { file.path }
  /// The extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The product of the extents: 1 for a scalar, 0 if any extent is.
  public let elementCount: Int
  /// The element type: F64, F32, F16, U8, U16 or U32.
  public let dtype: TensorDType

  private let file: InputFile
  private let dataStart: Int
  private let byteOrder: ByteOrder
  private let storageOrder: NpyHeader.StorageOrder

  /// Opens and checks a file; `-` is standard input.
  ///
  /// - Throws: A `TensorFileError` that names the first cause found.
  public init(path: String, elements: ElementSelection = .any) throws(TensorFileError) {
    try self.init(InputFile(path: path), elements: elements)
  }

  package init(_ file: InputFile, elements: ElementSelection) throws(TensorFileError) {
    let path = file.path
    let start = try file.bytes(in: 0..<min(file.count, NpyHeader.largestByteCount))
    let header = try start.withUnsafeBufferPointer { (bytes) throws(TensorFileError) in
      try NpyHeader(UnsafeRawBufferPointer(bytes), path: path, elements: elements)
    }
    guard let count = checkedElementCount(header.shape),
      case let (bits, overflow) = count.multipliedReportingOverflow(by: header.dtype.bitWidth),
      !overflow
    else {
      throw .shapeOverflow(path: path, tensor: "array")
    }
    let available = file.count - header.dataStart
    guard bits / 8 <= available else {
      throw .dataTruncated(path: path, needed: bits / 8, available: available)
    }
    guard bits / 8 == available else {
      throw .trailingBytes(path: path, count: available - bits / 8)
    }
    self.file = file
    shape = header.shape
    elementCount = count
    dtype = header.dtype
    dataStart = header.dataStart
    byteOrder = header.byteOrder
    storageOrder = header.storageOrder
  }

  /// The elements as `Float`, row-major.
  ///
  /// F32 is copied bit for bit; F16 keeps the payload of NaNs and makes them quiet. F64 is rounded
  /// once, to nearest with ties to even, and infinite beyond the range of `Float`.
  ///
  /// - Throws: `.unsupportedDType` for an array of integers; `.notEnoughMemory`, or why the bytes
  ///   cannot be read.
  public func floats() throws(TensorFileError) -> [Float] {
    // Reordering has both orders in memory.
    let copies = storageOrder == .rowMajor ? 1 : 2
    try file.requireMemory(copies * 4 * elementCount, for: nil)
    return rowMajor(try storedFloats(in: 0..<elementCount))
  }

  private func storedFloats(in elements: Range<Int>) throws(TensorFileError) -> [Float] {
    guard let encoding = FloatEncoding(dtype) else { throw unsupported("F16, F32, F64") }
    return try file.floats(elements, as: encoding, byteOrder: byteOrder, dataStart: dataStart)
  }

  /// The elements of an array of unsigned integers, row-major.
  ///
  /// - Parameter type: The integer type of the array's dtype.
  /// - Throws: `.unsupportedDType` unless the array's integers are as wide as `type`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    as type: Integer.Type = Integer.self
  ) throws(TensorFileError) -> [Integer] {
    let unsigned: [TensorDType] = [.u8, .u16, .u32]
    guard unsigned.contains(dtype), dtype.bitWidth == type.bitWidth else {
      throw unsupported("U\(type.bitWidth)")
    }
    let copies = storageOrder == .rowMajor ? 1 : 2
    try file.requireMemory(copies * elementCount * MemoryLayout<Integer>.size, for: nil)
    return rowMajor(try file.integers(elementCount, at: dataStart))
  }

  private func unsupported(_ supported: String) -> TensorFileError {
    .unsupportedDType(path: path, tensor: nil, dtype: dtype.rawValue, supported: supported)
  }

  private func rowMajor<Element>(_ stored: [Element]) -> [Element] {
    switch storageOrder {
    case .rowMajor: stored
    case .columnMajor: rowMajorFromColumnMajor(stored, shape: shape)
    }
  }
}

extension NpyFile: TensorFileFormat {
  package static let name = "NumPy array"
  package static let nameEnding = ".npy"
  package static let signature = FileSignature.npy

  package var tensors: [TensorInfo] {
    [
      TensorInfo(
        name: "array", dtype: dtype, shape: shape, elementCount: elementCount,
        byteRange: dataStart..<file.count)
    ]
  }

  package var hasNames: Bool { false }
  package var metadata: [String: String] { [:] }
  package var readsParts: Bool { storageOrder == .rowMajor }

  package func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float] {
    require(
      elements.lowerBound >= 0 && elements.upperBound <= elementCount,
      "elements \(elements) of an array of \(elementCount)")
    guard readsParts else {
      let all = try floats()
      return elements == all.indices ? all : Array(all[elements])
    }
    try file.requireMemory(4 * elements.count, for: nil)
    return try storedFloats(in: elements)
  }
}
