import LowPrecisionTraining
import Testing

@Suite("Student's t distribution")
struct StudentTTests {
  /// 97.5 % points of the usual tables, with nine decimals.
  private static let table: [(Int, Double)] = [
    (1, 12.706204736), (2, 4.302652730), (3, 3.182446305), (4, 2.776445105), (5, 2.570581836),
    (6, 2.446911851), (7, 2.364624252), (8, 2.306004135), (9, 2.262157163), (10, 2.228138852),
    (29, 2.045229642), (30, 2.042272456), (60, 2.000297822), (120, 1.979930405),
    (1000, 1.962339081),
  ]

  @Test("The points of 95 % intervals are those of the tables", arguments: table)
  func quantiles(degreesOfFreedom: Int, expected: Double) {
    let t = StudentT.quantile(confidence: 0.95, degreesOfFreedom: degreesOfFreedom)
    #expect(abs(t - expected) < 1e-9)
  }

  @Test("One and two degrees of freedom have closed forms")
  func closedForms() {
    for confidence in [0.0, 0.1, 0.5, 0.9, 0.99, 0.999] {
      // For two, P(|T| ≤ t) = t / √(2 + t²).
      let two = confidence * (2 / (1 - confidence * confidence)).squareRoot()
      let result = StudentT.quantile(confidence: confidence, degreesOfFreedom: 2)
      #expect(abs(result - two) <= 1e-12 * max(1, two))
    }
    #expect(abs(StudentT.quantile(confidence: 0.5, degreesOfFreedom: 1) - 1) < 1e-15)
    #expect(abs(StudentT.probability(within: 1, degreesOfFreedom: 1) - 0.5) < 1e-15)
  }

  @Test("The probability is 0 at 0, 1 at infinity, and the quantile inverts it")
  func inverse() {
    for degreesOfFreedom in [1, 2, 3, 4, 7, 12, 31] {
      #expect(StudentT.probability(within: 0, degreesOfFreedom: degreesOfFreedom) == 0)
      #expect(
        abs(StudentT.probability(within: .infinity, degreesOfFreedom: degreesOfFreedom) - 1)
          < 1e-15)
      for confidence in [0.01, 0.5, 0.95, 0.9999] {
        let t = StudentT.quantile(confidence: confidence, degreesOfFreedom: degreesOfFreedom)
        let back = StudentT.probability(within: t, degreesOfFreedom: degreesOfFreedom)
        #expect(abs(back - confidence) < 1e-14)
      }
    }
  }
}
