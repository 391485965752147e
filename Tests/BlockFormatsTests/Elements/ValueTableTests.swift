import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Tables of values")
struct ValueTableTests {
  private static let rules: [RoundingRule] =
    RoundingRule.deterministic
    + [1, 3, 8].map { .stochastic(StochasticSource(seed: 11, stream: 2, randomBitCount: $0)) }

  /// Small tables and some with as many values as codes allow.
  private static func oracles(_ seed: UInt64, thresholds: Bool) -> [TableOracle] {
    var generator = SeededGenerator(seed: seed)
    return (0..<(Intensity.isDeep ? 400 : 20)).map { number in
      let count = number % 20 == 19 ? 40 : Int.random(in: 2...17, using: &generator)
      let oracle = TableOracle.random(count, &generator)
      return thresholds ? oracle.withThresholds(&generator) : oracle
    }
  }

  /// All values, midpoints and thresholds, their neighbours, and values beyond both ends.
  private static func inputs(_ oracle: TableOracle) -> [Int] {
    let sorted = oracle.units.sorted()
    let middles = zip(sorted, sorted.dropFirst()).map { ($0 + $1) / 2 }
    let (least, largest) = (sorted[0], sorted[sorted.count - 1])
    let spread = largest - least
    let ends = [least - spread, largest + spread, least - 3 * spread, largest + 3 * spread, 0]
    let steps = zip([sorted[0], sorted[sorted.count - 1]], [1, -1]).flatMap {
      end, inward -> [Int] in
      let inner = inward > 0 ? sorted.first { $0 > end } : sorted.last { $0 < end }
      let step = end - (inner ?? end)
      return [end + step, end + step / 2, end + step / 4]
    }
    let places = sorted + middles + ends + steps + (oracle.thresholds ?? [])
    return Set(places.flatMap { [$0 - 1, $0, $0 + 1] }).sorted()
  }

  private func expectRounding(
    _ oracle: TableOracle, limits: [Int?], _ mismatches: inout ElementMismatches
  ) {
    let table = oracle.table
    let magnitudes = Set(oracle.units.map(abs)).sorted()
    for rule in Self.rules {
      for limit in limits {
        let greatest = limit.map { magnitudes[$0 % magnitudes.count] }
        let codeLimit =
          limit.map { CodeLimit(magnitude: UInt32($0 % magnitudes.count)) } ?? .none
        for (index, unit) in Self.inputs(oracle).enumerated() {
          for isNegative in unit == 0 ? [false, true] : [false] {
            let value = isNegative ? -0.0 : Double(unit) / TableOracle.unit
            let actual = table.code(
              for: value, rounding: rule, index: UInt64(index), limit: codeLimit)
            let expected = oracle.code(
              of: unit, isNegativeZero: isNegative, rule, index: UInt64(index), greatest: greatest)
            let name = { "\(table.values) \(rule.id) \(value) within \(greatest ?? -1)" }
            mismatches.expect(actual.code, expected.code, name())
            mismatches.expect(actual.saturates, expected.saturates, "saturates: " + name())
          }
        }
      }
    }
  }

  @Test("Every rule rounds as a search through all values does, ties, ends and limits included")
  func rounding() {
    var mismatches = ElementMismatches()
    for (number, oracle) in Self.oracles(1, thresholds: false).enumerated() {
      expectRounding(oracle, limits: [nil, number, 2 * number + 1], &mismatches)
    }
    #expect(mismatches.isEmpty && mismatches.checkCount > 50_000, "\(mismatches)")
  }

  @Test("Thresholds take the place of midpoints under the nearest rules, and of nothing else")
  func thresholds() {
    var mismatches = ElementMismatches()
    for oracle in Self.oracles(2, thresholds: true) {
      expectRounding(oracle, limits: [nil], &mismatches)
    }
    #expect(mismatches.isEmpty && mismatches.checkCount > 10_000, "\(mismatches)")
  }

  @Test("NaN becomes the largest value, or zero where the policy says so, and infinities the ends")
  func notFinite() {
    for oracle in Self.oracles(3, thresholds: false) {
      let format = ElementFormat(name: "table", table: oracle.table)
      let (least, largest) = (oracle.units.min() ?? 0, oracle.units.max() ?? 0)
      func value(_ code: UInt32) -> Double { format.value(of: code) * TableOracle.unit }
      for overflow in OverflowRule.allCases {
        for nonFinite in NonFiniteRule.allCases {
          let encoder = ElementEncoder(
            format, rounding: .toNearestOrEven, overflow: overflow, nonFinite: nonFinite)
          var tally = EncodingTally()
          #expect(value(encoder.code(for: .infinity, index: 0, tally: &tally)) == Double(largest))
          #expect(value(encoder.code(for: -.infinity, index: 0, tally: &tally)) == Double(least))
          let kept = value(encoder.code(for: .nan, index: 0, tally: &tally))
          #expect(
            nonFinite == .nanToZero
              ? kept == value(oracle.code(of: 0, .toNearestOrEven).code) : kept == Double(largest))
          #expect(tally.saturatedCount == 0)
        }
      }
    }
  }

  @Test("Infinities and NaN in a table are what overflow and NaN become where the policy says so")
  func specialCodes() {
    let table = ElementFormat(
      name: "special", table: ValueTable([.nan, 0, 1, 2, .infinity, -1, -2, -.infinity], beyond: 6))
    func code(_ value: Double, _ overflow: OverflowRule, _ rule: RoundingRule = .toNearestOrEven)
      -> UInt32
    {
      table.code(for: value, rounding: rule, overflow: overflow)
    }
    #expect(table.infinityCode == 4 && table.nanCode == 0 && table.greatestFiniteCode == 3)
    #expect(table.greatestFiniteMagnitude == 2 && table.isSigned && !table.hasNegativeZero)
    // Half way to 6.
    #expect(code(3.9, .special) == 3 && code(4.1, .special) == 4 && code(-4.1, .special) == 7)
    #expect(code(3.9, .saturate) == 3 && code(4.1, .saturate) == 3 && code(-9, .saturate) == 6)
    #expect(code(.infinity, .special) == 4 && code(-.infinity, .special) == 7)
    #expect(code(.infinity, .saturate) == 3 && code(-.infinity, .saturate) == 6)
    #expect(code(9, .special, .towardZero) == 3 && code(9, .special, .down) == 3)
    #expect(code(-9, .special, .up) == 6 && code(9, .special, .up) == 4)
    #expect(code(.nan, .special) == 0 && code(.nan, .saturate) == 0)
    #expect(table.value(of: 0).isNaN && table.value(of: 7) == -.infinity)
    #expect(table == table && table.hashValue == table.hashValue)
    #expect(ValueTable([0, 1]) != ValueTable([-0.0, 1]))
    #expect(ValueTable([0, 1], beyond: 3) != ValueTable([0, 1]))
  }

  @Test("Thresholds decide between several codes of one number")
  func severalCodes() {
    // In rising order: codes 2, 0, 1, 3.
    let table = ValueTable([0, 0, -1, 1], thresholds: [-0.5, 0, 0.25])
    func code(_ value: Double) -> UInt32 {
      table.code(for: value, rounding: .toNearestOrEven, index: 0, limit: .none).code
    }
    #expect([-1, -0.6, -0.5, -0.4, -0.0, 0].map(code) == [2, 2, 2, 0, 0, 0])
    #expect([0.1, 0.25, 0.26, 1].map(code) == [1, 1, 3, 3])
    let last = ValueTable([0, 0, 1], thresholds: [-0.0, 0.5])
    #expect(last.code(for: 0, rounding: .toNearestOrEven, index: 0, limit: .none).code == 0)
  }

  /// E2M1 as a table, whose codes are those of the format.
  private static let e2m1 = ElementFormat(
    name: "e2m1 as a table",
    table: ValueTable([
      0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6,
    ]))

  @Test("E2M1 written as a table rounds, saturates and counts as E2M1 does, under every limit")
  func e2m1() {
    var generator = SeededGenerator(seed: 4)
    var mismatches = ElementMismatches()
    let doubles = (0..<300).map { _ in
      Double.random(in: -9...9, using: &generator)
        * Double(sign: .plus, exponent: Int.random(in: -20...0, using: &generator), significand: 1)
    }
    let units = (-160...160).map { Double($0) / 16 }
    let values =
      units + doubles + [-0.0, 1e300, -1e300, 0x1p-1074, -0x1p-1074, 0.25.nextUp, 5.0.nextDown]
    for rule in Self.rules + [.stochastic(StochasticSource(seed: 5))] {
      let encoders = [Self.e2m1, .e2m1fn].map {
        ElementEncoder($0, rounding: rule, overflow: .saturate)
      }
      for limit in [CodeLimit.none] + (0...7).map({ CodeLimit(magnitude: $0) }) {
        for (index, value) in values.enumerated() {
          let results = encoders.map { encoder in
            var tally = EncodingTally()
            let code = encoder.code(for: value, index: UInt64(index), limit: limit, tally: &tally)
            return "\(code), \(tally.saturatedCount) saturated"
          }
          mismatches.expect(results[0], results[1], "\(rule.id) \(value) \(limit)")
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("E2M1 written as a table has the properties of E2M1")
  func e2m1Facts() {
    let (table, float) = (Self.e2m1, ElementFormat.e2m1fn)
    #expect(table.bitWidth == float.bitWidth && table.isSigned && table.hasZero)
    #expect(table.hasNegativeZero && table.greatestFiniteCode == float.greatestFiniteCode)
    #expect(table.leastPositiveCode == float.leastPositiveCode)
    #expect(table.leastSpacingExponent == float.leastSpacingExponent)
    #expect(table.significandBitCount == float.significandBitCount)
    #expect(table.greatestDecodableMagnitude == float.greatestDecodableMagnitude)
    #expect(table.greatestExponent == float.greatestExponent)
    #expect(table.leadingFractionBitCount == float.leadingFractionBitCount)
    #expect(table.greatestMagnitudeCode == float.greatestMagnitudeCode)
    for code in UInt32(0)..<16 {
      #expect(table.value(of: code).bitPattern == float.value(of: code).bitPattern)
      for isAbove in [false, true] {
        #expect(
          table.neighbour(of: code, isAbove: isAbove)
            == float.neighbour(of: code, isAbove: isAbove),
          "\(code) \(isAbove)")
      }
    }
  }

  @Test("Codes behind the last value decode to NaN and are never produced")
  func unusedCodes() {
    let format = ElementFormat(name: "five", table: ValueTable([1, -1, 0, 4, 2]))
    #expect(format.bitWidth == 3 && format.codeCount == 8)
    for code in UInt32(5)..<8 {
      #expect(format.value(of: code).isNaN)
      #expect(format.neighbour(of: code, isAbove: true).isNaN)
    }
    #expect(Set((-20...20).map { format.code(for: Double($0) / 4) }) == [0, 1, 2, 3, 4])
    #expect(format.greatestFiniteCode == 3 && format.leastPositiveCode == 0)
  }

  @Test("Where zero is no value, rounding toward zero takes the neighbour of the smaller magnitude")
  func aroundZero() {
    let table = ValueTable([-10, 1, 13])
    func code(_ value: Double, _ rule: RoundingRule) -> UInt32 {
      table.code(for: value, rounding: rule, index: 0, limit: .none).code
    }
    for value in [-9.9, -5, -0.1, 0, 0.9] { #expect(code(value, .towardZero) == 1, "\(value)") }
    #expect(code(-4.5, .toNearestOrAway) == 0 && code(-4.4, .toNearestOrAway) == 1)
    // Zero lies ten of eleven parts from -10 to 1.
    let ones = (0..<4000).filter { index in
      let rule = RoundingRule.stochastic(StochasticSource(seed: 3))
      return table.code(for: 0, rounding: rule, index: UInt64(index), limit: .none).code == 1
    }
    // Six standard deviations of 4000 draws are 109.
    #expect(abs(ones.count - 4000 * 10 / 11) < 109)
  }

  @Test("Ties are found exactly, whatever the distance between the two values")
  func exactTies() {
    // The midpoint of 1 and 2^60 takes 61 bits, one side of it more than Double has.
    let table = ValueTable([0, 1, 0x1p60])
    func code(_ value: Double) -> UInt32 {
      table.code(for: value, rounding: .toNearestOrAway, index: 0, limit: .none).code
    }
    #expect(code(0x1p59) == 1 && code(0x1p59.nextUp) == 2 && code(0x1p59.nextDown) == 1)
    let wide = ValueTable([-0x1p1022, 0x1p1022])
    #expect(wide.code(for: 1, rounding: .toNearestOrEven, index: 0, limit: .none).code == 1)
    #expect(wide.code(for: -1, rounding: .toNearestOrEven, index: 0, limit: .none).code == 0)
  }
}

#if os(macOS) || os(Linux)
@Suite("Tables of values: preconditions")
struct ValueTablePreconditionTests {
  @Test("Tables that are none trap with what is wrong")
  func mistakes() async {
    let one = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1])
    }
    #expect(reports(one, "a table of 1 values, not 2...256"))
    let infinite = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1, .infinity])
    }
    #expect(reports(infinite, "a table without two finite values, one of them above zero"))
    let huge = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1, 0x1p1023])
    }
    #expect(reports(huge, "a table holds 8.98846567431158e+307, which is not within 2^1022"))
    let infinities = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
    {
      _ = ValueTable([1, 2, .infinity, -.infinity, .infinity])
    }
    #expect(reports(infinities, "a table holds one of [inf, -inf, inf] twice"))
    let beyond = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1, 2, -3], beyond: 3)
    }
    #expect(reports(beyond, "3.0 does not lie beyond 3.0 and within 2^1022"))
    let twice = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1, 2, 1])
    }
    #expect(reports(twice, "a table holds a value twice"))
    let threshold = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ValueTable([1, 2], thresholds: [2.5])
    }
    #expect(reports(threshold, "threshold 2.5 is outside 1.0...2.0"))
  }
}
#endif
