import CallerChecks
import UntrustedText

extension NpzFile {
  /// The elements of a tensor as `Float`, row-major.
  ///
  /// F32 is copied bit for bit; BF16 is widened by sixteen zero bits; F16 keeps the payload of NaNs and
  /// makes them quiet. F64 is rounded once, to nearest with ties to even, and infinite beyond the range
  /// of `Float`.
  ///
  /// - Parameter tensor: One of `tensors`.
  /// - Throws: `.unsupportedDType` unless the dtype is one of `TensorDType.floatReadable`;
  ///   `.badMember` if the member is damaged, `.notEnoughMemory`, or why the bytes cannot be read.
  public func floats(of tensor: TensorInfo) throws(TensorFileError) -> [Float] {
    try floats(of: tensor, in: 0..<tensor.elementCount)
  }

  /// A part of the elements of a tensor as `Float`.
  ///
  /// A compressed member, or one in Fortran order, is read as a whole for it.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - elements: Which of its elements, counted row-major.
  /// - Precondition: The tensor has these elements.
  /// - Throws: What `floats(of:)` throws.
  public func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float] {
    let entry = entry(of: tensor)
    let isWhole = elements.count == tensor.elementCount
    return try entry.array.floats(in: elements, byteCountBesides: entry.heldByteCount) {
      () throws(TensorFileError) in
      isWhole ? try entry.whole() : try entry.part()
    }
  }

  /// The elements of a tensor of unsigned integers, row-major.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - type: The integer type of the tensor's dtype.
  /// - Throws: `.unsupportedDType` unless the dtype is U8, U16, U32 or U64 and as wide as `type`;
  ///   otherwise what `floats(of:)` throws.
  public func integers<Integer: FixedWidthInteger & UnsignedInteger>(
    of tensor: TensorInfo, as type: Integer.Type = Integer.self
  ) throws(TensorFileError) -> [Integer] {
    let entry = entry(of: tensor)
    return try entry.array.integers(byteCountBesides: entry.heldByteCount) {
      () throws(TensorFileError) in
      try entry.whole()
    }
  }

  /// The bytes of a tensor of any dtype, row-major and little-endian, whatever their order in the file.
  ///
  /// - Parameter tensor: One of `tensors`.
  /// - Throws: `.badMember` if the member is damaged, `.notEnoughMemory`, or why the bytes cannot be
  ///   read.
  public func bytes(of tensor: TensorInfo) throws(TensorFileError) -> [UInt8] {
    let entry = entry(of: tensor)
    return try entry.array.bytes(byteCountBesides: entry.heldByteCount) {
      () throws(TensorFileError) in
      try entry.whole()
    }
  }

  /// The member of a tensor of this file.
  func entry(of tensor: TensorInfo) -> NpzEntry {
    guard let index = indices[ExactText(tensor.name)], tensors[index] == tensor else {
      refuse("tensor '\(tensor.printableName)' is not one of this file")
    }
    return entries[index]
  }
}
