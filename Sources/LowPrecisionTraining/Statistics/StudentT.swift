import CallerChecks
import Foundation

/// Student's t distribution with a whole number of degrees of freedom.
public enum StudentT {
  /// The probability that |T| ≤ t.
  ///
  /// With θ = atan(t/√ν), for even ν a sum in sin θ and cos² θ, for odd ν one with θ itself. All
  /// terms have one sign, so that the relative error stays near that of one operation times ν.
  ///
  /// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
  ///
  /// - Precondition: There is at least one degree of freedom, and t is at least 0.
  public static func probability(within t: Double, degreesOfFreedom: Int) -> Double {
    require(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom")
    require(t >= 0, "the probability that |T| <= \(t)")
    let n = Double(degreesOfFreedom)
    let isOdd = !degreesOfFreedom.isMultiple(of: 2)
    let hypotenuse = hypot(t, n.squareRoot())
    let sine = t.isInfinite ? 1 : t / hypotenuse
    let cosine = n.squareRoot() / hypotenuse
    // Odd: cos θ (1 + 2/3 cos² θ + ...); even: 1 + 1/2 cos² θ + ...; the last power is ν - 2.
    var term = isOdd ? cosine : 1
    var sum = degreesOfFreedom > 1 ? term : 0
    for power in stride(from: isOdd ? 3 : 2, through: degreesOfFreedom - 2, by: 2) {
      term *= Double(power - 1) / Double(power) * cosine * cosine
      sum += term
    }
    guard isOdd else { return min(1, sine * sum) }
    return min(1, 2 / Double.pi * (atan2(t, n.squareRoot()) + sine * sum))
  }

  /// The t with |T| ≤ t at the given probability, as for a two-sided confidence interval.
  ///
  /// The zero is bracketed and bisected until two neighbouring numbers are left, so the result is as
  /// good as `probability(within:degreesOfFreedom:)`.
  ///
  /// - Parameters:
  ///   - confidence: Such as 0.95; at least 0 and below 1.
  ///   - degreesOfFreedom: At least 1.
  public static func quantile(confidence: Double, degreesOfFreedom: Int) -> Double {
    require((0..<1).contains(confidence), "a confidence of \(confidence)")
    var high = 1.0
    while probability(within: high, degreesOfFreedom: degreesOfFreedom) < confidence { high *= 2 }
    var low = high == 1 ? 0 : high / 2
    while true {
      let middle = low + (high - low) / 2
      guard middle > low && middle < high else { return high }
      if probability(within: middle, degreesOfFreedom: degreesOfFreedom) < confidence {
        low = middle
      } else {
        high = middle
      }
    }
  }
}
