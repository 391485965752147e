import CallerChecks
import Foundation

/// Returns the least QSNR in dB that a rounding BDR or block-floating-point encoder reaches on any
/// finite vector that is not all zero.
///
/// With N = `vectorLength`, n = min(N, k1) and β = 2^d2 - 1 the bound is
///
///     20 m log10(2) + 10 log10( 2^(2β) / (n + (2^(2β) - 1) k2) )
///
/// Derivation. Let 2^E be the power of two at or below the largest magnitude of a block, and τ in
/// 0...β the shift of a sub-block of k2 elements. A mantissa of m bits has the step
/// 2^(E - τ - m + 1), so rounding to nearest errs by at most 2^(E - τ - m). The block's largest
/// element alone gives Σx² ≥ 2^(2E), and its sub-block has τ = 0. In the worst case the others are
/// shifted by β: then Σe² ≤ 2^(2(E - m)) (k2 + (n - k2) 2^(-2β)), and the quotient is the bound. A
/// further sub-block with τ < β has an element of at least 2^(E - τ), which adds more to Σx² than
/// the smaller shift adds to Σe²; likewise an element that clips to the largest mantissa, whose error
/// is at most twice as large, is itself near the top of its sub-block. The quotient of sums over
/// several blocks is at least the smallest of the blocks' quotients.
///
/// It holds where the block exponent is neither clamped nor out of range. It does not hold for
/// truncating encoders, whose error reaches the full step. Where N is below k2 it is valid but not
/// tight. For d2 = 0 (plain block floating point) β is 0 and k2 drops out.
///
/// Examples: MX9 (m = 7, k1 = 16, k2 = 2, d2 = 1) 34.74, MX6 (m = 4) 16.68, MX4 (m = 2) 4.64, and
/// with d2 = 0 MSFP16 (m = 7, k1 = 16) 30.10, MSFP12 (m = 3) 6.02.
///
/// - Parameters:
///   - m: The mantissa bits of an element without its sign, at least 1.
///   - vectorLength: The number N of elements of the vector, at least 1.
///   - k1: The elements that share an exponent, at least 1.
///   - k2: The elements that share a sub-scale, 1 through k1.
///   - d2: The bits of a sub-scale, 0 through 8.
/// - Returns: The bound in dB; it can be negative.
///
/// Source: Darvish Rouhani et al., "With Shared Microexponents, A Little Shifting Goes a Long Way",
/// ISCA'23, arXiv:2302.08007.
public func qsnrLowerBound(
  mantissaBits m: Int, vectorLength: Int, k1: Int, k2: Int, d2: Int
) -> Double {
  require(m >= 1, "there are \(m) mantissa bits, there must be at least 1")
  require(vectorLength >= 1, "the vector length is \(vectorLength), it must be at least 1")
  require(k1 >= 1, "k1 is \(k1), it must be at least 1")
  require((1...k1).contains(k2), "k2 is \(k2), it must be 1 through k1 = \(k1)")
  require((0...8).contains(d2), "d2 is \(d2), it must be 0 through 8")
  let elements = Double(min(vectorLength, k1))
  let maximumShift = (1 << d2) - 1
  let shrink = Double(sign: .plus, exponent: -2 * maximumShift, significand: 1)
  let worstNoise = elements * shrink + Double(k2) * (1 - shrink)
  return 20 * Double(m) * log10(2) - 10 * log10(worstNoise)
}
