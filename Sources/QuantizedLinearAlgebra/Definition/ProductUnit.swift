/// The arithmetic that multiplies and adds elements inside a group of a matrix product.
///
/// Which one runs is a property of the two element formats, never of the machine: where an
/// instruction set lacks a unit, its results are computed by others, bit for bit.
public enum ProductUnit: String, Hashable, Sendable, CaseIterable {
  /// Integers of 8 bits: exact products, exact sums in 32 bits.
  case int8
  /// Integers of 16 bits: exact products, exact sums in 32 bits.
  case int16
  /// BF16 numbers, multiplied and added to an FP32 sum in the order of the BF16 dot product
  /// instruction: of each pair of elements the odd one before the even one, each a fused
  /// multiply-add rounded to nearest, ties to even. Subnormal operands are zeros of the same sign,
  /// and so are sums below 2^-126 after rounding to 24 bits as if exponents had no limit.
  case bfloat16
  /// FP32 numbers, decoded with all their scales; one fused multiply-add for each, in order,
  /// rounded to nearest, ties to even.
  case float32

  /// The bytes of an operand element in memory.
  package var elementByteCount: Int {
    switch self {
    case .int8: 1
    case .int16, .bfloat16: 2
    case .float32: 4
    }
  }

  /// Whether sums inside a group are exact.
  public var isExact: Bool { self == .int8 || self == .int16 }
}
