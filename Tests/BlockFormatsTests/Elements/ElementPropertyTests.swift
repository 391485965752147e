import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: derived properties")
struct ElementPropertyTests {
  @Test("The properties of every named format equal the published table")
  func namedProperties() {
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow + ElementCase.wide {
      let (format, name) = (item.format, item.reference.name)
      let facts = ReferenceFacts.named(name)
      mismatches.expect(format.name, name, "name")
      mismatches.expect(format.bitWidth, facts.bits, "\(name) bitWidth")
      mismatches.expect(format.codeCount, 1 << facts.bits, "\(name) codeCount")
      mismatches.expect(format.isSigned, item.reference.isSigned, "\(name) isSigned")
      mismatches.expect(format.greatestFiniteMagnitude, facts.greatest, "\(name) greatest")
      mismatches.expect(format.greatestFiniteCode, facts.greatestCode, "\(name) greatest code")
      mismatches.expect(format.leastNormalMagnitude, facts.leastNormal, "\(name) least normal")
      mismatches.expect(format.leastNonzeroMagnitude, facts.leastNonzero, "\(name) least nonzero")
      mismatches.expect(format.infinityCode, facts.infinityCode, "\(name) infinity code")
      mismatches.expect(format.nanCode, facts.nanCode, "\(name) NaN code")
      mismatches.expect(
        format.hasNegativeZero, facts.hasNegativeZero, "\(name) hasNegativeZero")
      mismatches.expect(format.hasZero, name != "e8m0fnu", "\(name) hasZero")
      mismatches.expect(format.greatestExponent, facts.greatestExponent, "\(name) emax")
      mismatches.expect(
        format.leadingFractionBitCount, facts.leadingFractionBits, "\(name) leading bits")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("The number of finite codes of every narrow format equals the published count")
  func finiteCounts() {
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      let facts = ReferenceFacts.named(item.reference.name)
      mismatches.expect(
        item.format.valueTable.count(where: \.isFinite), facts.finiteCount, facts.element.name)
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("The value table lists every code in order")
  func valueTables() {
    for item in ElementCase.narrow {
      let table = item.format.valueTable
      #expect(table.count == item.reference.codeCount)
      for (code, value) in table.enumerated() where !value.isNaN {
        #expect(value == item.reference.value(of: code), "\(item.reference) \(hex(code))")
      }
    }
  }

  @Test("The properties of every ExMy and P3109 format follow from its value table")
  func familyProperties() {
    var mismatches = ElementMismatches()
    for item in ElementCase.smallFloats + ElementCase.p3109 + ElementCase.oddBiases {
      let (format, reference) = (item.format, item.reference)
      let search = NearestSearch(reference)
      let sizes = search.positive.sizes.dropLast()
      // The first value of the binade above the subnormals, where there is one.
      let normal = sizes.first { $0 >= ReferenceElement.powerOfTwo(1 - reference.bias) }
      mismatches.expect(format.name, reference.name, "name")
      mismatches.expect(format.bitWidth, reference.bits, "\(reference) bitWidth")
      mismatches.expect(format.greatestFiniteMagnitude, sizes.last, "\(reference) greatest")
      mismatches.expect(
        format.greatestFiniteCode, search.positive.codes.last, "\(reference) greatest code")
      mismatches.expect(
        format.leastNonzeroMagnitude, sizes.first { $0 > 0 }, "\(reference) least nonzero")
      mismatches.expect(format.leastNormalMagnitude, normal, "\(reference) least normal")
      mismatches.expect(format.infinityCode, search.infinityCode, "\(reference) infinity code")
      mismatches.expect(format.nanCode, search.nanCode, "\(reference) NaN code")
      let zeroCodes = (0..<reference.codeCount).filter { reference.value(of: $0) == 0 }
      mismatches.expect(format.hasNegativeZero, zeroCodes.count == 2, "\(reference) minus zero")
      mismatches.expect(format.hasZero, zeroCodes.count >= 1, "\(reference) zero")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("The P3109 formats have the properties that the report tabulates")
  func p3109Table() throws {
    var mismatches = ElementMismatches()
    for row in ReferenceElement.p3109Rows {
      let format = try ElementFormat(parsing: row.name)
      guard case .floatingPoint(let layout) = format.encoding else {
        Issue.record("\(row.name) is not a floating-point format")
        continue
      }
      mismatches.expect(layout.exponentBias, row.bias, "\(row.name) bias")
      mismatches.expect(format.greatestFiniteMagnitude, row.greatest, "\(row.name) greatest")
      mismatches.expect(format.leastNormalMagnitude, row.leastNormal, "\(row.name) least normal")
      let least = row.leastSubnormal ?? row.leastNormal
      mismatches.expect(format.leastNonzeroMagnitude, least, "\(row.name) least nonzero")
      mismatches.expect(format.nanCode, row.nanCode, "\(row.name) NaN code")
      mismatches.expect(format.infinityCode, row.infinityCode, "\(row.name) infinity code")
      mismatches.expect(format.hasNegativeZero, false, "\(row.name) minus zero")
      mismatches.expect(format.value(of: 0), 0, "\(row.name) code 0")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Two P3109 formats have the value sets of FNUZ formats")
  func p3109MatchesFNUZ() {
    let pairs: [(ElementFormat, Int)] = [(.e5m2fnuz, 3), (.e4m3fnuz, 4)]
    for (known, precision) in pairs {
      let format = ElementFormat.p3109(
        width: 8, precision: precision, signedness: .signed, domain: .finite)
      #expect(format.valueTable.map(\.bitPattern) == known.valueTable.map(\.bitPattern))
    }
  }
}
