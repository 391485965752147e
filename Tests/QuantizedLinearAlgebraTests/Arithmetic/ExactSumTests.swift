import FormatTestSupport
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Sums without rounding")
struct ExactSumTests {
  static func sum(_ products: [(Double, Double)]) -> Float {
    var sum = ExactSum()
    for (x, y) in products { sum.add(x, times: y) }
    return sum.rounded()
  }

  @Test("Sums of products of any magnitude, with cancellation, round as expansions say")
  func randomProducts() {
    var generator = SeededGenerator(seed: 11)
    func factor(_ exponents: ClosedRange<Int>) -> Double {
      // A product of two FP32 numbers.
      (0..<2).reduce(1.0) { product, _ in
        product
          * Double(
            Float(
              sign: .random(using: &generator) ? .plus : .minus,
              exponent: .random(in: exponents, using: &generator),
              significand: .random(in: 1..<2, using: &generator)))
      }
    }
    var sum = ExactSum()
    for round in 0..<(Intensity.isDeep ? 100_000 : 4000) {
      let reach = [0, 1, 8, 30, 60][round % 5]
      // Results around 1, around the largest FP32 number, and around the subnormal ones.
      let center = [0, 32, -37][round % 3]
      let exponents = max(center - reach, -149)...min(center + reach, 127)
      sum.reset()
      var oracle = ExactExpansion()
      for _ in 0..<Int.random(in: 1...40, using: &generator) {
        let (x, y) = (factor(exponents), factor(exponents))
        sum.add(x, times: y)
        oracle.add(x, times: y)
        // Carries may be propagated at any time.
        if Int.random(in: 0..<4, using: &generator) == 0 { sum.settle() }
        if Bool.random(using: &generator) {
          // Nearly cancels.
          let close = x * (1 - 0x1p-20)
          sum.add(-close, times: y)
          oracle.add(-close, times: y)
        }
      }
      #expect(sum.rounded().bitPattern == oracle.nearestFloat.bitPattern)
      let magnitude = ExactSum.Magnitude(sum)
      #expect(magnitude.exponent == oracle.parts.last.map { exponent(of: oracle, $0) })
    }
  }

  /// The exponent of a sum is that of its largest part, or one less where the rest points down.
  private func exponent(of sum: ExactExpansion, _ greatest: Double) -> Int {
    let power = Double(sign: greatest.sign, exponent: greatest.exponent, significand: 1)
    let isBelow = sum.minus(power).sign * (greatest < 0 ? -1 : 1) < 0
    return Int(greatest.exponent) - (isBelow ? 1 : 0)
  }

  @Test("Ties go to the even number, and the smallest term beyond a tie decides it")
  func ties() {
    #expect(Self.sum([(1, 1), (0x1p-12, 0x1p-12)]) == 1)
    for exponent in -298 ... -13 {
      let small = Double.scaled(1, byPowerOfTwo: exponent)
      #expect(Self.sum([(1, 1), (0x1p-12, 0x1p-12), (small, 0x1p-12)]) == 1 + 0x1p-23)
      #expect(Self.sum([(-1, 1), (0x1p-12, -0x1p-12), (small, 0x1p-12)]) == -1)
    }
    #expect(Self.sum([(1, 1), (0x1p-12, 0x1p-12), (0x1p-298, 0x1p-298)]) == 1 + 0x1p-23)
    #expect(Self.sum([(1, 1), (0x1p-12, 0x1p-12), (-0x1p-298, 0x1p-298)]) == 1)
    #expect(Self.sum([(1, 1 + 0x1p-23), (0x1p-24, 1)]) == 1 + 0x1p-22)
    #expect(Self.sum([(-1, 1 + 0x1p-23), (-0x1p-24, 1)]) == -1 - 0x1p-22)
  }

  @Test("Results are subnormal, zero with a sign, or infinite where FP32 says so")
  func ends() {
    #expect(Self.sum([]).bitPattern == 0)
    #expect(Self.sum([(3, 5), (-5, 3)]).bitPattern == 0)
    #expect(Self.sum([(0x1p-149, 1)]) == 0x1p-149)
    #expect(Self.sum([(0x1p-150, 1)]) == 0)
    #expect(Self.sum([(0x1p-150, 1), (0x1p-298, 0x1p-298)]) == 0x1p-149)
    #expect(Self.sum([(-0x1p-150, 1)]).bitPattern == 0x8000_0000)
    #expect(Self.sum([(0x1.8p-149, 1)]) == 0x1p-148)
    #expect(Self.sum([(0x1.ffffffp-127, 1)]) == 0x1p-126)
    let greatest = Double(Float.greatestFiniteMagnitude)
    #expect(Self.sum([(greatest, 1), (0x1p102, 1)]) == .greatestFiniteMagnitude)
    #expect(Self.sum([(greatest, 1), (0x1p103, 1)]) == .infinity)
    #expect(Self.sum([(-greatest, 1), (-0x1p103, 1)]) == -.infinity)
    #expect(Self.sum([(0x1p255, 0x1p255), (1, 1), (-0x1p255, 0x1p255)]) == 1)
  }

  @Test("What is not finite adds up as IEEE 754 says, before or after finite terms")
  func specials() {
    #expect(Self.sum([(.infinity, 2), (1, 1)]) == .infinity)
    #expect(Self.sum([(1, 1), (-.infinity, 2)]) == -.infinity)
    #expect(Self.sum([(.infinity, 1), (.infinity, -1)]).isNaN)
    #expect(Self.sum([(.infinity, 0)]).isNaN)
    #expect(Self.sum([(.nan, 0), (.infinity, 1)]).isNaN)
  }

  @Test("Truncation to multiples of a power of two goes toward zero")
  func truncation() {
    for (value, exponent, expected) in [
      (13.75, 0, 13), (-13.75, 0, -13), (13.75, -1, 27), (-13.75, 2, -3), (0.5, 1, 0),
      (0x1p40 + 1, 0, (1 << 40) + 1), (-0x1p-40, -45, -32),
    ] as [(Double, Int, Int64)] {
      var sum = ExactSum()
      sum.add(value, times: 1)
      #expect(ExactSum.Magnitude(sum).truncated(toMultipleOf: exponent) == expected)
    }
  }
}
