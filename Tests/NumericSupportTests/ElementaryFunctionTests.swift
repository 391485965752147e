import Foundation
import NumericSupport
import Testing

@Suite("The functions behind the distributions")
struct ElementaryFunctionTests {
  /// Units in the last place between a result and the C library's, itself within one of the truth.
  private func ulps(_ a: Double, _ b: Double) -> Double { abs(a - b) / b.ulp }

  @Test("The logarithm agrees with the C library's within 3 + 1 ulps")
  func logarithm() {
    #expect(naturalLogarithm(1) == 0)
    for i in 1...20_000 {
      let u = Double(i) / 20_000
      for x in [u, u * 1e-12, 1 - u * 1e-6, 0.5 + u, 1e200 * u] where x != 1 {
        #expect(ulps(naturalLogarithm(x), log(x)) <= 4)
      }
    }
  }

  @Test("The exponential agrees with the C library's within 3 + 1 ulps")
  func exponentialFunction() {
    #expect(exponential(0) == 1)
    for i in -20_000...20_000 {
      for scale in [0.0001, 0.0033, 0.035] {
        let x = Double(i) * scale
        #expect(ulps(exponential(x), exp(x)) <= 4)
      }
    }
  }

  @Test("The normal quantile inverts the distribution function and is odd about 1/2")
  func quantile() {
    #expect(standardNormalQuantile(0.5) == 0)
    for i in 1..<4000 {
      for scale in [1.0, 1e-3, 1e-9, 1e-12] {
        let p = Double(i) / 8000 * scale
        let z = standardNormalQuantile(p)
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        // Φ(z) - p = density · δz to first order. Allowed: |δz| of 2^-49 relative to z, and 2^-48
        // relative to p for erfc, whose argument is rounded (condition up to z²) .
        let error = abs(0.5 * erfc(-z / 2.0.squareRoot()) - p)
        #expect(error <= density * abs(z) * 0x1p-49 + p * (z * z + 4) * 0x1p-51)
      }
      // 1 - p is exact for these p, so the symmetry is one of bits.
      let p = Double(i) / 8192
      #expect(standardNormalQuantile(1 - p) == -standardNormalQuantile(p))
    }
  }

  @Test("The quantile of the smallest uniform number bounds a normal sample at 8.21")
  func largestNormal() {
    #expect(abs(standardNormalQuantile(0x1p-53)) < 8.21)
    #expect(abs(standardNormalQuantile(0x1p-53)) > 8.20)
  }
}
