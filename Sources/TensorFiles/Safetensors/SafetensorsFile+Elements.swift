extension SafetensorsFile {
  /// The elements of a tensor as `Float`, row-major.
  ///
  /// F32 is copied bit for bit; BF16 is widened by sixteen zero bits, so NaNs keep their payload and
  /// kind; F16 keeps the payload of NaNs and makes them quiet. F64 is rounded once, to nearest with
  /// ties to even, and infinite beyond the range of `Float`.
  ///
  /// - Throws: `.unsupportedDType` unless the dtype is one of `TensorDType.floatReadable`.
  public func floats(of tensor: TensorInfo) throws(TensorFileError) -> [Float] {
    guard let encoding = FloatEncoding(tensor.dtype) else {
      throw .unsupportedDType(
        path: path, tensor: tensor.name, dtype: tensor.dtype.rawValue,
        supported: TensorDType.floatReadable.map(\.rawValue).joined(separator: ", "))
    }
    return withBytes(of: tensor) { encoding.decode($0, byteOrder: .little) }
  }

  /// The elements of a tensor of unsigned integers, row-major.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - type: The integer type of the tensor's dtype.
  /// - Throws: `.unsupportedDType` unless the dtype is U8, U16, U32 or U64 and as wide as `type`.
  public func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    of tensor: TensorInfo, as type: Integer.Type = Integer.self
  ) throws(TensorFileError) -> [Integer] {
    let unsigned: [TensorDType] = [.u8, .u16, .u32, .u64]
    guard unsigned.contains(tensor.dtype), tensor.dtype.bitWidth == type.bitWidth else {
      throw .unsupportedDType(
        path: path, tensor: tensor.name, dtype: tensor.dtype.rawValue,
        supported: "U\(type.bitWidth)")
    }
    return withBytes(of: tensor) { littleEndianIntegers($0) }
  }

  /// The stored bytes of a tensor of any dtype.
  public func bytes(of tensor: TensorInfo) -> [UInt8] {
    withBytes(of: tensor) { Array($0) }
  }
}
