import FormatMetrics
import Foundation
import Testing

@Suite("The QSNR lower bound of BDR formats")
struct QSNRLowerBoundTests {
  @Test("The named formats have the published bounds")
  func published() {
    let cases: [(m: Int, d2: Int, bound: Double)] = [
      (7, 1, 34.74), (4, 1, 16.68), (2, 1, 4.64), (7, 0, 30.10), (3, 0, 6.02),
    ]
    for (m, d2, bound) in cases {
      let value = qsnrLowerBound(mantissaBits: m, vectorLength: 256, k1: 16, k2: 2, d2: d2)
      #expect(abs(value - bound) <= 0.005)  // half a unit of the second decimal published
    }
  }

  @Test("It equals the published form for all small parameters")
  func publishedForm() {
    for m in 1...8 {
      for length in [1, 3, 16, 300] {
        for k1 in [1, 2, 16, 32] {
          for k2 in [1, 2, 16] where k2 <= k1 {
            for d2 in 0...3 {
              let value = qsnrLowerBound(
                mantissaBits: m, vectorLength: length, k1: k1, k2: k2, d2: d2)
              let power = pow(4.0, Double((1 << d2) - 1))
              let n = Double(min(length, k1))
              let form =
                20 * Double(m) * log10(2.0) + 10 * log10(power / (n + (power - 1) * Double(k2)))
              // Terms below 64 in magnitude, each rounded a few times at 2^-47.
              #expect(abs(value - form) <= 0x1p-44)
            }
          }
        }
      }
    }
  }

  @Test("Without a sub-scale, k2 does not matter")
  func noSubScale() {
    let values = [1, 2, 4, 16].map {
      qsnrLowerBound(mantissaBits: 7, vectorLength: 256, k1: 16, k2: $0, d2: 0)
    }
    #expect(Set(values).count == 1)
  }

  @Test("A wide sub-scale approaches the bound of the sub-block alone")
  func wideSubScale() {
    // The other elements then contribute less than 2^-500 of the noise.
    let value = qsnrLowerBound(mantissaBits: 7, vectorLength: 256, k1: 16, k2: 4, d2: 8)
    #expect(value == qsnrLowerBound(mantissaBits: 7, vectorLength: 256, k1: 4, k2: 4, d2: 0))
  }
}
