import BlockFormats
import FormatTestSupport
import Testing

@Suite("Scaling by powers of two")
struct ScalingTests {
  private static let powerOfTwoFormats: [SharedExponentFormat] = [
    .mxfp8E4M3, .mxfp8E5M2, .mxfp6E2M3, .mxfp6E3M2, .mxfp4, .mxint8, .mx(element: .mxint4), .mx9,
    .mx6, .mx4, .msfp12, .msfp16, .bdr(m: 5, k1: 32, k2: 4, d1: 8, d2: 2),
  ]

  @Test("Multiplying by 2^n adds n to the scales and changes nothing else")
  func scaling() {
    for (number, format) in Self.powerOfTwoFormats.enumerated() {
      let x = randomValues(96, exponents: -6...6, seed: UInt64(200 + number))
      for rule in ScaleRule.powersOfTwo {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        let base = x.quantized(to: format, policy: policy)
        for n in [-40, -1, 3, 50] {
          let factor = Float(sign: .plus, exponent: n, significand: 1)
          let moved = x.map { $0 * factor }.quantized(to: format, policy: policy)
          #expect(moved.codes == base.codes, "\(format.id) \(rule.id)")
          #expect(moved.subscales == base.subscales)
          #expect(
            moved.scales.unpacked().map(Int.init) == base.scales.unpacked().map { Int($0) + n })
        }
      }
    }
  }
}
