import CallerChecks

/// A tensor to be written: a name, an element type, a shape and the stored bytes.
public struct TensorData: Hashable, Sendable {
  /// The name it will have in the file.
  public let name: String
  /// The stored element type.
  public let dtype: TensorDType
  /// The logical extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements as stored, row-major and little-endian.
  public let bytes: [UInt8]

  /// Describes a tensor whose bytes are already in their stored form.
  ///
  /// - Precondition: No extent is negative, and `bytes` holds exactly the bits that `dtype` and
  ///   `shape` need. The name is not `__metadata__`, which the format reserves.
  public init(name: String, dtype: TensorDType, shape: [Int], bytes: [UInt8]) {
    require(name != "__metadata__", "a tensor cannot be named __metadata__")
    require(shape.allSatisfy { $0 >= 0 }, "negative extent in shape \(shape)")
    guard let count = checkedElementCount(shape),
      case let (bits, overflow) = count.multipliedReportingOverflow(by: dtype.bitWidth), !overflow
    else {
      refuse("shape \(shape) of \(dtype.rawValue) overflows 64 bits")
    }
    require(
      bits % 8 == 0 && bits / 8 == bytes.count,
      "shape \(shape) of \(dtype.rawValue) needs \(bits) bits, got \(bytes.count) bytes")
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// Describes a U8 tensor.
  ///
  /// - Precondition: The product of `shape` is the number of values.
  public init(name: String, shape: [Int], _ values: [UInt8]) {
    self.init(name: name, dtype: .u8, shape: shape, bytes: values)
  }

  /// Describes a U16 tensor.
  ///
  /// - Precondition: The product of `shape` is the number of values.
  public init(name: String, shape: [Int], _ values: [UInt16]) {
    self.init(name: name, dtype: .u16, shape: shape, bytes: littleEndianBytes(values))
  }

  /// Describes a U32 tensor.
  ///
  /// - Precondition: The product of `shape` is the number of values.
  public init(name: String, shape: [Int], _ values: [UInt32]) {
    self.init(name: name, dtype: .u32, shape: shape, bytes: littleEndianBytes(values))
  }

  /// Describes an F32 tensor; the bit patterns of the values are stored as they are.
  ///
  /// - Precondition: The product of `shape` is the number of values.
  public init(name: String, shape: [Int], _ values: [Float]) {
    self.init(name: name, dtype: .f32, shape: shape, bytes: littleEndianBytes(values))
  }
}
