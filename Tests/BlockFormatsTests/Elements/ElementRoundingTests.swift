import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: rounding between neighbours and beyond the largest value")
struct ElementRoundingTests {
  @Test("Every midpoint and step of the named formats rounds as each rule defines")
  func namedFormats() {
    expectRounding(of: ElementCase.narrow, Self.neighbourhoods)
  }

  @Test("Every midpoint and step of P3109 and ExMy formats up to 6 bits rounds as defined")
  func smallMembersOfFamilies() {
    let families = ElementCase.smallFloats + ElementCase.p3109
    expectRounding(of: families.filter { $0.reference.bits <= 6 }, Self.neighbourhoods)
    expectRounding(of: ElementCase.oddBiases, Self.neighbourhoods)
  }

  @Test("Every midpoint of P3109 and ExMy formats of 7 and 8 bits rounds to nearest even")
  func largeMembersOfFamilies() {
    let families = ElementCase.smallFloats + ElementCase.p3109
    expectRounding(
      of: families.filter { $0.reference.bits > 6 }, Self.neighbourhoods, [.nearestEven])
  }

  @Test(
    "Every midpoint and step of every ExMy and P3109 format rounds as each rule defines",
    .enabled(if: Intensity.isDeep))
  func wholeFamilies() {
    expectRounding(of: ElementCase.smallFloats + ElementCase.p3109, Self.neighbourhoods)
  }

  @Test("Every midpoint and step of FP16 and BF16 rounds as each rule defines")
  func sixteenBitFormats() {
    // A seeded sample of the 32,512 steps in the standard run, all of them in the deep run.
    let probes = Intensity.isDeep ? Self.neighbourhoods : Self.sampledNeighbourhoods
    expectRounding(of: Array(ElementCase.wide.prefix(2)), probes)
  }

  @Test("Values beyond the largest, non-finite and vanishing values follow the overflow rule")
  func extremes() {
    expectRounding(
      of: ElementCase.narrow + ElementCase.smallFloats + ElementCase.p3109
        + ElementCase.oddBiases + ElementCase.wide.prefix(2), Self.extremes)
  }

  // MARK: - Inputs

  /// Around every step of the table, above the largest value included: the midpoint and one ulp
  /// of `Double` and of `Float` to either side, and one ulp to either side of the value itself.
  private static func neighbourhoods(_ search: NearestSearch) -> [Double] {
    let sizes = search.positive.sizes
    return sizes.indices.dropLast().flatMap { around(sizes[$0], sizes[$0 + 1]) }
  }

  private static func sampledNeighbourhoods(_ search: NearestSearch) -> [Double] {
    var generator = SeededGenerator(seed: 16)
    let sizes = search.positive.sizes
    return (0..<2000).flatMap { _ in
      let index = Int.random(in: 0..<sizes.count - 1, using: &generator)
      return around(sizes[index], sizes[index + 1])
    }
  }

  private static func around(_ lower: Double, _ upper: Double) -> [Double] {
    let middle = lower + (upper - lower) / 2
    var result = [
      middle, middle.nextUp, middle.nextDown, lower, lower.nextUp, upper.nextDown, upper,
    ]
    let single = Float(middle)
    if Double(single) == middle { result += [Double(single.nextUp), Double(single.nextDown)] }
    return result
  }

  private static func extremes(_ search: NearestSearch) -> [Double] {
    let sizes = search.positive.sizes
    let (greatest, beyond) = (sizes[sizes.count - 2], sizes[sizes.count - 1])
    let least = sizes[sizes[0] == 0 ? 1 : 0]
    let tie = greatest + (beyond - greatest) / 2
    return [
      greatest, greatest.nextUp, greatest.nextDown, tie, tie.nextUp, tie.nextDown,
      beyond, beyond.nextUp, beyond.nextDown, 2 * greatest, 2 * beyond, 3 * beyond,
      Double(Float.greatestFiniteMagnitude), .greatestFiniteMagnitude, .infinity, .nan,
      Double(bitPattern: 0x7FF8_0000_0000_1234), 0, least / 2, (least / 2).nextUp,
      (least / 2).nextDown, least / 4, least / 1024, least.nextDown, least.nextUp,
      Double(Float.leastNonzeroMagnitude), Double(Float.leastNormalMagnitude.nextDown),
      Double(Float(bitPattern: 0x0055_AA55)), 0x1p-127, .leastNormalMagnitude,
      .leastNormalMagnitude.nextDown, .leastNonzeroMagnitude,
    ]
  }

  // MARK: - Comparison

  /// Compares the library with the definition for ± every input, each rule and each overflow rule.
  private func expectRounding(
    of cases: [ElementCase], _ inputs: (NearestSearch) -> [Double],
    _ roundings: [NearestSearch.Rounding] = NearestSearch.Rounding.allCases,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var mismatches = ElementMismatches()
    for item in cases {
      let search = NearestSearch(item.reference)
      let magnitudes = inputs(search)
      for rounding in roundings {
        for overflow in NearestSearch.Overflow.allCases {
          let (rule, overflowRule) = (RoundingRule(rounding), OverflowRule(overflow))
          for magnitude in magnitudes {
            for value in [magnitude, -magnitude] {
              mismatches.expectCode(
                item.format.code(for: value, rounding: rule, overflow: overflowRule),
                search.code(for: value, rounding, overflow), of: value, item.reference,
                "\(rounding) \(overflow)")
            }
          }
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)", sourceLocation: sourceLocation)
    #expect(mismatches.checkCount > 0, sourceLocation: sourceLocation)
  }
}
