import BlockFormats
import FormatTestSupport

/// Rounding to a table by its definition: look at all values, in no order, with integers.
///
/// Values, thresholds and inputs are multiples of 1/64, so that every comparison is one of integers.
struct TableOracle {
  /// The values in units of 1/64, by code; a zero may be negative.
  let units: [Int]
  let negativeZero: Int?
  /// In units of 1/64, in rising order of the values they lie between.
  let thresholds: [Int]?

  static let unit = 64.0

  var table: ValueTable {
    ValueTable(
      units.enumerated().map { $0.offset == negativeZero ? -0.0 : Double($0.element) / Self.unit },
      thresholds: thresholds.map { $0.map { Double($0) / Self.unit } })
  }

  /// A table of `count` values in any order, with or without either zero.
  static func random(_ count: Int, _ generator: inout SeededGenerator) -> TableOracle {
    let spread = Int.random(in: count...(12 * count), using: &generator)
    // Some tables hold no negative value, and some no zero.
    let least = Int.random(in: 0...3, using: &generator) == 0 ? 0 : -spread
    var values: Set<Int> = [Int.random(in: 1...spread, using: &generator)]
    while values.count < count {
      values.insert(Int.random(in: least...(2 * spread), using: &generator))
    }
    var units = values.map { 16 * $0 }.sorted()
    units.shuffle(using: &generator)
    var negativeZero: Int?
    if Int.random(in: 0...2, using: &generator) == 0 {
      negativeZero = units.firstIndex(of: 0)
      if negativeZero != nil && Bool.random(using: &generator) && count > 2 {
        // Both zeros.
        let other = (0..<count).first { units[$0] < 0 }
        if let other { units[other] = 0 }
      }
    }
    return TableOracle(units: units, negativeZero: negativeZero, thresholds: nil)
  }

  /// The same values with thresholds anywhere between neighbours.
  func withThresholds(_ generator: inout SeededGenerator) -> TableOracle {
    let sorted = units.sorted()
    return TableOracle(
      units: units, negativeZero: negativeZero,
      thresholds: zip(sorted, sorted.dropFirst()).map { Int.random(in: $0...$1, using: &generator) }
    )
  }

  /// One side of a value: a value of the table, or what would come after its end.
  private struct Side {
    var unit: Int
    var isEven: Bool
    var isReal = true
  }

  /// The code of `value` / 64, and whether it lies beyond what the limit leaves.
  ///
  /// - Parameters:
  ///   - isNegativeZero: whether a value of zero has a sign.
  ///   - greatest: the largest magnitude that may be used, in units.
  func code(
    of value: Int, isNegativeZero: Bool = false, _ rule: RoundingRule, index: UInt64 = 0,
    greatest: Int? = nil
  ) -> (code: UInt32, saturates: Bool) {
    let usable = units.filter { greatest == nil || abs($0) <= greatest ?? 0 }
    guard let least = usable.min(), let largest = usable.max() else { return (0, false) }
    let (unit, isReal) = rounded(value, isNegative: value < 0 || isNegativeZero, rule, index)
    let clipped = min(max(unit, least), largest)
    // An end that is clipped to is the outer one of two zeros.
    let prefersNegative = unit == clipped ? (value < 0 || isNegativeZero) : unit < clipped
    return (code(ofUnit: clipped, prefersNegative: prefersNegative), unit != clipped || !isReal)
  }

  private func code(ofUnit unit: Int, prefersNegative: Bool) -> UInt32 {
    let codes = units.indices.filter { units[$0] == unit }
    let signed = codes.filter { ($0 == negativeZero) == prefersNegative }
    return UInt32(signed.first ?? codes[0])
  }

  /// The unit that a value is rounded to, and whether the value lies within the table after rounding.
  private func rounded(
    _ value: Int, isNegative: Bool, _ rule: RoundingRule, _ index: UInt64
  ) -> (Int, Bool) {
    if units.contains(value) { return (value, true) }
    let (down, up) = (below(value), above(value))
    // So far out that it is beyond what would come next.
    if !up.isReal && value >= up.unit { return (units.max() ?? 0, false) }
    if !down.isReal && value <= down.unit { return (units.min() ?? 0, false) }
    let chosen: Side
    switch rule {
    case .up: chosen = up
    case .down: chosen = down
    case .towardZero:
      chosen =
        abs(up.unit) == abs(down.unit)
        ? (isNegative ? down : up) : abs(up.unit) < abs(down.unit) ? up : down
    case .toOdd: chosen = up.isEven ? down : up
    case .toNearestOrEven: chosen = nearest(value, down, up, tie: up.isEven ? up : down)
    case .toNearestOrAway: chosen = nearest(value, down, up, tie: value > 0 ? up : down)
    case .toNearestOrTowardZero: chosen = nearest(value, down, up, tie: value < 0 ? up : down)
    case .toNearestOrUp: chosen = nearest(value, down, up, tie: up)
    case .stochastic(let source):
      let (inner, outer) = value < 0 ? (up, down) : (down, up)
      let words = ReferenceRandomBits(
        seed: source.seed, stream: source.stream, bitCount: source.randomBitCount)
      let whole = 1 << source.randomBitCount
      let steps = abs(value - inner.unit) * whole / abs(outer.unit - inner.unit)
      chosen = steps + Int(words.bits(ofElement: index)) >= whole ? outer : inner
    }
    if chosen.isReal { return (chosen.unit, true) }
    let ends = (units.min() ?? 0, units.max() ?? 0)
    return (chosen.unit > ends.1 ? ends.1 : ends.0, false)
  }

  private func nearest(_ value: Int, _ down: Side, _ up: Side, tie: Side) -> Side {
    if let thresholds, down.isReal, up.isReal {
      // The last of the values equal to `down`: of two zeros the positive one.
      let place = units.filter { $0 <= down.unit }.count - 1
      return value > thresholds[place] ? up : down
    }
    let (toDown, toUp) = (value - down.unit, up.unit - value)
    return toDown == toUp ? tie : toDown < toUp ? down : up
  }

  private func above(_ value: Int) -> Side {
    if let unit = units.filter({ $0 > value }).min() {
      return Side(unit: unit, isEven: code(ofUnit: unit, prefersNegative: true) % 2 == 0)
    }
    let end = units.max() ?? 0
    let next = 2 * end - (units.filter { $0 < end }.max() ?? 0)
    return Side(
      unit: next, isEven: code(ofUnit: end, prefersNegative: false) % 2 == 1, isReal: false)
  }

  private func below(_ value: Int) -> Side {
    if let unit = units.filter({ $0 < value }).max() {
      return Side(unit: unit, isEven: code(ofUnit: unit, prefersNegative: false) % 2 == 0)
    }
    let end = units.min() ?? 0
    let next = 2 * end - (units.filter { $0 > end }.min() ?? 0)
    return Side(
      unit: next, isEven: code(ofUnit: end, prefersNegative: true) % 2 == 1, isReal: false)
  }
}
