import CallerChecks

extension SafetensorsFile {
  /// The elements of a tensor as `Float`, row-major.
  ///
  /// F32 is copied bit for bit; BF16 is widened by sixteen zero bits, so NaNs keep their payload and
  /// kind; F16 keeps the payload of NaNs and makes them quiet. F64 is rounded once, to nearest with
  /// ties to even, and infinite beyond the range of `Float`.
  ///
  /// - Throws: `.unsupportedDType` unless the dtype is one of `TensorDType.floatReadable`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func floats(of tensor: TensorInfo) throws(TensorFileError) -> [Float] {
    try floats(of: tensor, in: 0..<tensor.elementCount)
  }

  /// A part of the elements of a tensor as `Float`, for tensors that are larger than memory.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - elements: Which of its elements, counted row-major.
  /// - Precondition: The tensor has these elements.
  /// - Throws: What `floats(of:)` throws.
  public func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float] {
    require(
      elements.lowerBound >= 0 && elements.upperBound <= tensor.elementCount,
      "elements \(elements) of a tensor of \(tensor.elementCount)")
    guard let encoding = FloatEncoding(tensor.dtype) else {
      throw .unsupportedDType(
        path: path, tensor: tensor.name, dtype: tensor.dtype.rawValue,
        supported: TensorDType.floatReadable.map(\.rawValue).joined(separator: ", "))
    }
    try file.requireMemory(4 * elements.count, for: tensor.name)
    return try file.floats(
      elements, as: encoding, byteOrder: .little, dataStart: tensor.byteRange.lowerBound)
  }

  /// The elements of a tensor of unsigned integers, row-major.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - type: The integer type of the tensor's dtype.
  /// - Throws: `.unsupportedDType` unless the dtype is U8, U16, U32 or U64 and as wide as `type`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    of tensor: TensorInfo, as type: Integer.Type = Integer.self
  ) throws(TensorFileError) -> [Integer] {
    let unsigned: [TensorDType] = [.u8, .u16, .u32, .u64]
    guard unsigned.contains(tensor.dtype), tensor.dtype.bitWidth == type.bitWidth else {
      throw .unsupportedDType(
        path: path, tensor: tensor.name, dtype: tensor.dtype.rawValue,
        supported: "U\(type.bitWidth)")
    }
    try file.requireMemory(tensor.byteRange.count, for: tensor.name)
    return try file.integers(tensor.elementCount, at: tensor.byteRange.lowerBound)
  }

  /// The stored bytes of a tensor of any dtype.
  ///
  /// - Throws: `.notEnoughMemory`, or why the bytes cannot be read.
  public func bytes(of tensor: TensorInfo) throws(TensorFileError) -> [UInt8] {
    try file.requireMemory(tensor.byteRange.count, for: tensor.name)
    return try file.bytes(in: tensor.byteRange)
  }
}
