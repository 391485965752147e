import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: codes and values")
struct ElementDecodeTests {
  static let families: [(name: String, cases: [ElementCase])] = [
    ("named", ElementCase.narrow), ("ExMy", ElementCase.smallFloats),
    ("biased", ElementCase.oddBiases), ("P3109", ElementCase.p3109),
  ]

  @Test("The families have as many members as their parameters allow")
  func familySizes() {
    #expect(ElementCase.narrow.count == ReferenceFacts.narrow.count)
    // K = 3...8: K - 1 signed and K unsigned precisions, each finite and extended.
    #expect(ElementCase.p3109.count == 2 * (5 + 7 + 9 + 11 + 13 + 15))
    #expect(ElementCase.smallFloats.count > 250)
  }

  @Test("The oracle's decoder agrees with the published properties")
  func oracleAgreesWithTables() {
    var mismatches = ElementMismatches()
    for facts in ReferenceFacts.narrow {
      let element = facts.element
      let values = (0..<element.codeCount).map { element.value(of: $0) }
      let finite = values.filter(\.isFinite)
      let positive = finite.filter { $0 > 0 }
      mismatches.expect(element.bits, facts.bits, "\(element) bits")
      mismatches.expect(finite.count, facts.finiteCount, "\(element) finite codes")
      mismatches.expect(positive.max(), facts.greatest, "\(element) greatest")
      mismatches.expect(positive.min(), facts.leastNonzero, "\(element) least")
      mismatches.expect(
        values.contains { $0.bitPattern == (-0.0).bitPattern }, facts.hasNegativeZero,
        "\(element) minus zero")
      let search = NearestSearch(element)
      mismatches.expect(search.positive.codes.last, facts.greatestCode, "\(element) top code")
      mismatches.expect(search.infinityCode, facts.infinityCode, "\(element) infinity")
      mismatches.expect(search.nanCode, facts.nanCode, "\(element) NaN")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Every code of every narrow format decodes to its defined value, bit for bit")
  func everyCodeDecodes() {
    for family in Self.families {
      var mismatches = ElementMismatches()
      for item in family.cases {
        for code in 0..<item.reference.codeCount {
          mismatches.expectSame(
            item.format.value(of: UInt32(code)), item.reference.value(of: code),
            "\(item.reference) \(hex(code))")
        }
      }
      #expect(mismatches.isEmpty, "\(family.name): \(mismatches)")
    }
  }

  @Test("Every finite code of every narrow format re-encodes to itself under every rounding rule")
  func everyCodeReencodes() {
    for family in Self.families {
      var mismatches = ElementMismatches()
      for item in family.cases {
        let rules = RoundingRule.deterministic + [.stochastic(StochasticSource(seed: 1))]
        for code in 0..<item.reference.codeCount {
          let value = item.reference.value(of: code)
          guard value.isFinite else { continue }
          // The encoder of a symmetric format never gives the most negative code.
          let isUnused =
            item.reference.kind == .symmetricInteger && code == item.reference.codeCount / 2
          let expected = UInt32(isUnused ? code + 1 : code)
          for rule in rules {
            mismatches.expectCode(
              item.format.code(for: value, rounding: rule), expected, of: value, item.reference,
              rule.id)
          }
        }
      }
      #expect(mismatches.isEmpty, "\(family.name): \(mismatches)")
    }
  }

  @Test("Every FP16 and BF16 code decodes to its value and re-encodes to itself")
  func sixteenBitCodes() {
    var mismatches = ElementMismatches()
    for item in ElementCase.wide.prefix(2) {
      for code in 0..<item.reference.codeCount {
        let value = item.reference.value(of: code)
        mismatches.expectSame(
          item.format.value(of: UInt32(code)), value, "\(item.reference) \(hex(code))")
        if value.isNaN { continue }
        mismatches.expectCode(
          item.format.code(for: value, overflow: .special), UInt32(code), of: value,
          item.reference, "round trip")
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Sampled TF32 and FP32 codes decode to their values and re-encode to themselves")
  func widerCodes() {
    var generator = SeededGenerator(seed: 19)
    var mismatches = ElementMismatches()
    for item in ElementCase.wide.suffix(2) {
      for _ in 0..<20_000 {
        let code = Int.random(in: 0..<item.reference.codeCount, using: &generator)
        let value = item.reference.value(of: code)
        mismatches.expectSame(
          item.format.value(of: UInt32(code)), value, "\(item.reference) \(hex(code))")
        if value.isNaN { continue }
        mismatches.expectCode(
          item.format.code(for: value, overflow: .special), UInt32(code), of: value,
          item.reference, "round trip")
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Codes re-encode to themselves where Double itself is subnormal")
  func doubleSubnormalRange() {
    // Bias 1024 puts normal numbers of the format below 2^-1022.
    let wide = [
      ElementCase.p3109(width: 16, precision: 5, .signed, .extended),
      ElementCase.p3109(width: 16, precision: 6, .unsigned, .finite),
      ElementCase(
        format: .floatingPoint(exponent: 11, significand: 4, bias: 1060),
        reference: ReferenceElement(
          "float(e=11,m=4,bias=1060)", exponent: 11, fraction: 4, bias: 1060, .ieee)),
    ]
    var mismatches = ElementMismatches()
    for item in wide {
      for code in 0..<2048 {
        let value = item.reference.value(of: code)
        mismatches.expectSame(
          item.format.value(of: UInt32(code)), value, "\(item.reference) \(hex(code))")
        mismatches.expectCode(
          item.format.code(for: value), UInt32(code), of: value, item.reference, "round trip")
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Values every source agrees on decode from their codes")
  func publishedValues() {
    let e2m1: [Double] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    #expect((0..<8).map { ElementFormat.e2m1fn.value(of: $0) } == e2m1)
    #expect((8..<16).map { ElementFormat.e2m1fn.value(of: $0) } == e2m1.map { -$0 })
    let topBinade: [Double] = [256, 288, 320, 352, 384, 416, 448]
    #expect((0x78...0x7E).map { ElementFormat.e4m3fn.value(of: $0) } == topBinade)
    #expect(ElementFormat.e8m0fnu.value(of: 0) == 0x1p-127)
    #expect(ElementFormat.e8m0fnu.value(of: 0x7F) == 1)
    #expect(ElementFormat.e8m0fnu.value(of: 0xFE) == 0x1p127)
    #expect(ElementFormat.e8m0fnu.value(of: 0xFF).isNaN)
    #expect(ElementFormat.mxint8.value(of: 0x80) == -2)
    #expect(ElementFormat.e4m3fn.value(of: 0x07) == 0.875 * 0x1p-6)
    #expect(ElementFormat.e5m2.value(of: 0x03) == 0.75 * 0x1p-14)
    #expect(ElementFormat.e2m3fn.value(of: 0x07) == 0.875)
    #expect(ElementFormat.e3m2fn.value(of: 0x03) == 0.1875)
  }
}
