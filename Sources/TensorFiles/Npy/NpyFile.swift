/// A NumPy `.npy` file with one array, open and checked.
///
/// Supported are format versions 1.0, 2.0 and 3.0, and the element types `<f8`, `<f4` and `<f2`, the
/// same with `>`, `|u1`, `<u2` and `<u4`. Opening reads the header only. The file must be exactly as
/// long as its header says. Arrays stored in Fortran order are read like any other: elements always
/// come row-major. Shapes may be those of Python 2, `(2L, 3L)`.
///
/// Libraries that add element types to NumPy, such as ml_dtypes, write them as void: BF16 as `<V2`, most
/// types of eight bits as `<V1`. The file does not say what they are; the caller may, and is asked to by
/// the error.
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
  public var shape: [Int] { array.shape }
  /// The product of the extents: 1 for a scalar, 0 if any extent is.
  public var elementCount: Int { array.elementCount }
  /// The element type: F64, F32, F16, U8, U16 or U32, or what void elements were said to be.
  public var dtype: TensorDType { array.dtype }

  private let file: InputFile
  private let array: NpyArray

  /// Opens and checks a file; `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - elements: The element types that the caller has a use for; any other is refused.
  ///   - voidDTypes: What void elements are: BF16 those of two bytes, one of the types whose names
  ///     begin with F8 those of one.
  /// - Precondition: `voidDTypes` holds no other types, and at most one of each size.
  /// - Throws: A `TensorFileError` that names the first cause found: `.voidDType` for void elements
  ///   of a size of which `voidDTypes` has none.
  public init(
    path: String, elements: ElementSelection = .any,
    readingVoidAs voidDTypes: Set<TensorDType> = []
  ) throws(TensorFileError) {
    try self.init(InputFile(path: path), elements: elements, voids: VoidTypes(voidDTypes))
  }

  init(
    _ file: InputFile, elements: ElementSelection, voids: VoidTypes
  ) throws(TensorFileError) {
    let path = file.path
    let header = try NpyHeader(byteCount: file.count, path: path) {
      (count) throws(TensorFileError) in
      try file.bytes(in: 0..<count)
    }
    let type = try NpyElementType(header.descriptor, elements: elements, voids: voids, path: path)
    self.file = file
    array = try NpyArray(header, type, byteCount: file.count, path: path, name: nil)
  }

  /// The elements as `Float`, row-major.
  ///
  /// F32 is copied bit for bit; BF16 is widened by sixteen zero bits; F16 keeps the payload of NaNs and
  /// makes them quiet. F64 is rounded once, to nearest with ties to even, and infinite beyond the range
  /// of `Float`.
  ///
  /// - Throws: `.unsupportedDType` unless the dtype is one of `TensorDType.floatReadable`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func floats() throws(TensorFileError) -> [Float] {
    try array.floats(in: 0..<elementCount) { file }
  }

  /// The elements of an array of unsigned integers, row-major.
  ///
  /// - Parameter type: The integer type of the array's dtype.
  /// - Throws: `.unsupportedDType` unless the array's integers are as wide as `type`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    as type: Integer.Type = Integer.self
  ) throws(TensorFileError) -> [Integer] {
    try array.integers { file }
  }

  /// The bytes of the elements, row-major and little-endian, whatever their order in the file.
  ///
  /// - Throws: `.notEnoughMemory`, or why the bytes cannot be read.
  public func bytes() throws(TensorFileError) -> [UInt8] {
    try array.bytes { file }
  }
}

extension NpyFile: TensorFileFormat {
  package static let name = "NumPy array"
  package static let nameEnding = ".npy"
  package static let signature = FileSignature.npy

  package init(_ file: InputFile, options: TensorFileOptions) throws(TensorFileError) {
    try self.init(file, elements: options.elements, voids: options.voids)
  }

  package var tensors: [TensorInfo] {
    [
      TensorInfo(
        name: "array", dtype: dtype, shape: shape, elementCount: elementCount,
        byteRange: array.data)
    ]
  }

  package var hasNames: Bool { false }
  package var metadata: [String: String] { [:] }
  package func readsParts(of tensor: TensorInfo) -> Bool { array.isRowMajor }

  package func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float] {
    try array.floats(in: elements) { file }
  }
}
