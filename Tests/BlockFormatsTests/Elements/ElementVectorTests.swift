import BlockFormats
import Testing

/// Values worked out on paper or published, so that they do not rest on the oracle either.
@Suite("Element formats: published vectors")
struct ElementVectorTests {
  @Test("E2M1 rounds at the published interval ends")
  func e2m1Intervals() {
    // Closed ends belong to even codes.
    let cases: [(Double, UInt32)] = [
      (0, 0), (0.25, 0), (0.25.nextUp, 1), (0.75.nextDown, 1), (0.75, 2), (1.25, 2),
      (1.25.nextUp, 3), (1.75.nextDown, 3), (1.75, 4), (2.5, 4), (2.5.nextUp, 5),
      (3.5.nextDown, 5), (3.5, 6), (5, 6), (5.0.nextUp, 7), (6, 7), (7, 7), (1e30, 7),
    ]
    for (value, code) in cases {
      #expect(ElementFormat.e2m1fn.code(for: value) == code, "\(value)")
      #expect(ElementFormat.e2m1fn.code(for: -value) == code | 8, "-\(value)")
    }
  }

  @Test("E4M3FN rounds as published at its boundaries")
  func e4m3Boundaries() {
    let saturating: [(Double, Double)] = [
      (464, 448), (464.00003, 448), (1e9, 448), (485, 448), (475, 448), (450, 448), (0x1p-10, 0),
      (1.5 * 0x1p-10, 0x1p-9), (3 * 0x1p-10, 0x1p-8), (17, 16), (19, 20), (400, 384),
      (0.9375 * 0x1p-6, 0x1p-6), (0x1p-6, 0x1p-6),
    ]
    let format = ElementFormat.e4m3fn
    for (input, output) in saturating {
      #expect(format.value(of: format.code(for: input)) == output, "\(input)")
      #expect(format.value(of: format.code(for: -input)) == -output, "-\(input)")
    }
    #expect(format.code(for: 464, overflow: .special) == 0x7E)
    #expect(format.code(for: 464.00003, overflow: .special) == 0x7F)
    #expect(format.code(for: 465, overflow: .special) == 0x7F)
    #expect(format.code(for: .infinity, overflow: .special) == 0x7F)
    #expect(format.code(for: .infinity) == 0x7E)
    #expect(format.code(for: -.infinity) == 0xFE)
    #expect(format.code(for: 400, rounding: .toNearestOrAway) == 0x7D)
  }

  @Test("E5M2 overflows to infinity from its tie on")
  func e5m2Boundaries() {
    let format = ElementFormat.e5m2
    #expect(format.code(for: 61439, overflow: .special) == 0x7B)
    #expect(format.code(for: 61440, overflow: .special) == 0x7C)
    #expect(format.code(for: -61440, overflow: .special) == 0xFC)
    #expect(format.code(for: 61440) == 0x7B)
    #expect(format.code(for: 0x1p-17) == 0)
    #expect(format.code(for: -0x1p-17) == 0x80)
    #expect(format.code(for: .infinity, overflow: .special) == 0x7C)
  }

  @Test("FNUZ formats turn an overflowing tie into NaN and minus zero into zero")
  func fnuzBoundaries() {
    let format = ElementFormat.e4m3fnuz
    // 240 has the odd code 0x7F, so its tie at 248 leaves the range.
    #expect(format.code(for: 248, overflow: .special) == 0x80)
    #expect(format.code(for: 248.0.nextDown, overflow: .special) == 0x7F)
    #expect(format.code(for: 248) == 0x7F)
    #expect(format.code(for: -0.0) == 0)
    #expect(format.code(for: -0x1p-30) == 0)
    #expect(format.code(for: .nan) == 0x80)
  }

  @Test("MX FP6 saturates and MX integers clip symmetrically")
  func microscalingElements() {
    #expect(ElementFormat.e2m3fn.code(for: 7.75, overflow: .special) == 0x1F)
    #expect(ElementFormat.e3m2fn.code(for: 30, overflow: .special) == 0x1F)
    #expect(ElementFormat.mxint8.code(for: -2) == 0x81)
    #expect(ElementFormat.mxint8(range: .full).code(for: -2) == 0x80)
    #expect(ElementFormat.mxint8(range: .full).code(for: -1.0e9) == 0x80)
    #expect(ElementFormat.mxint8(range: .full).code(for: 2) == 0x7F)
    #expect(ElementFormat.mxint8.code(for: .nan) == 0)
    let inputs = [-1, -1.75, -1.99, 1.99]
    #expect(
      inputs.map { ElementFormat.mxint4.value(of: ElementFormat.mxint4.code(for: $0)) }
        == [-1, -1.75, -1.75, 1.75])
  }

  @Test("MX INT8 ties away give the microxcaling corner vector")
  func microxcalingCorners() {
    let inputs = [
      1.015625, 1.0234375, 1.03125, 1.0390625, 1.25, 1.2578125, 1.9375, 1.9453125, 1.984375,
      1.9921875,
    ]
    let outputs = [
      1.015625, 1.03125, 1.03125, 1.046875, 1.25, 1.265625, 1.9375, 1.953125, 1.984375, 1.984375,
    ]
    let format = ElementFormat.mxint8
    #expect(
      inputs.map { format.value(of: format.code(for: $0, rounding: .toNearestOrAway)) } == outputs)
  }

  @Test("E8M0 rounds to nearest in value and has nothing below its first code")
  func e8m0() {
    let format = ElementFormat.e8m0fnu
    let cases: [(Double, UInt32)] = [
      (1, 127), (1.25, 127), (1.5.nextDown, 127), (1.5, 128), (3, 128), (3.0.nextUp, 129),
      (0, 0), (0x1p-140, 0), (0x1p-127, 0), (1.5 * 0x1p-127, 0), (0x1p127, 254),
      (1.5 * 0x1p127, 254), (0x1p130, 254), (.nan, 255), (-1, 0),
    ]
    for (value, code) in cases { #expect(format.code(for: value) == code, "\(value)") }
    #expect(format.code(for: (1.5 * 0x1p127).nextUp, overflow: .special) == 255)
    #expect(format.code(for: -1, overflow: .special) == 255)
    #expect(format.code(for: .infinity, overflow: .special) == 255)
  }

  @Test("Integer formats round 2.5 and its kin as the rules' table says")
  func roundingTable() {
    // Rows: the rule; columns: 2.5, -2.5, 2.25, -2.75.
    let rows: [(RoundingRule, [Double])] = [
      (.toNearestOrEven, [2, -2, 2, -3]), (.toNearestOrAway, [3, -3, 2, -3]),
      (.towardZero, [2, -2, 2, -2]), (.up, [3, -2, 3, -2]), (.down, [2, -3, 2, -3]),
      (.toOdd, [3, -3, 3, -3]), (.toNearestOrTowardZero, [2, -2, 2, -3]),
      (.toNearestOrUp, [3, -2, 2, -3]),
    ]
    let format = ElementFormat.int8
    for (rule, expected) in rows {
      let actual = [2.5, -2.5, 2.25, -2.75].map {
        format.value(of: format.code(for: $0, rounding: rule))
      }
      #expect(actual == expected, "\(rule.id)")
    }
  }

  @Test("Directed rounding toward the range gives its end, to nearest gives the special code")
  func directedOverflow() {
    let format = ElementFormat.e5m2
    func code(_ value: Double, _ rounding: RoundingRule) -> UInt32 {
      format.code(for: value, rounding: rounding, overflow: .special)
    }
    #expect(code(1e6, .towardZero) == 0x7B)
    #expect(code(1e6, .down) == 0x7B)
    #expect(code(1e6, .up) == 0x7C)
    #expect(code(-1e6, .up) == 0xFB)
    #expect(code(-1e6, .down) == 0xFC)
    #expect(code(57345, .up) == 0x7C)
    #expect(code(57345, .towardZero) == 0x7B)
    #expect(code(57345, .toOdd) == 0x7B)
    #expect(code(.infinity, .towardZero) == 0x7C)
  }

  @Test("NaN becomes the canonical NaN, or the largest value where there is none")
  func nanInputs() {
    let cases: [(ElementFormat, UInt32)] = [
      (.e4m3fn, 0x7F), (.e5m2, 0x7E), (.e4m3fnuz, 0x80), (.e5m2fnuz, 0x80), (.e4m3, 0x7C),
      (.e3m4, 0x78), (.e2m1fn, 0x7), (.e2m3fn, 0x1F), (.e3m2fn, 0x1F), (.int8, 0),
      (.bf16, 0x7FC0), (.fp16, 0x7E00), (.fp32, 0x7FC0_0000), (.ue4m3, 0x7F), (.ue5m3, 0xFF),
    ]
    for (format, code) in cases {
      for nan in [Double.nan, -.nan, Double(bitPattern: 0xFFF8_0000_0000_0001)] {
        #expect(format.code(for: nan) == code, "\(format)")
        #expect(format.code(for: nan, overflow: .special) == code, "\(format)")
      }
    }
  }
}
