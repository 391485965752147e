/// The sum without rounding, rounded once.
struct ExactAccumulator: PlainAccumulatorModel {
  static let id = "exact"

  var summary: String {
    """
    the exact sum of all products before tensor scales, rounded once to FP32, to nearest, \
    ties to even
    """
  }

  func sum(_ operands: DotOperands, registers: inout [ExactSum]) -> Float {
    registers[0].reset()
    for group in 0..<operands.groupCount { operands.add(group, to: &registers[0]) }
    return registers[0].rounded()
  }
}

extension Accumulator {
  /// Y = Σ a · b · sₐ · s_b, the real number, rounded once to FP32, to nearest, ties to even.
  ///
  /// Tensor scales, where there are some, round twice more: their product, and the result.
  ///
  /// Subnormal results are kept, whatever the unit of the product, and those beyond the largest FP32
  /// number are infinite. A sum of exactly zero is +0. With operands that are not finite the sum is
  /// what IEEE 754 makes of it in any order: NaN for a NaN, ∞ · 0 or ∞ - ∞, and else ±∞.
  public static let exact = Accumulator(ExactAccumulator())
}
