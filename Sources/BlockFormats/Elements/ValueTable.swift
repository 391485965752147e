import CallerChecks

/// The values of an element format that no formula gives: one for each code.
///
/// A code may also stand for an infinity or for NaN. Codes at and above `values.count`, where that is no
/// power of two, decode to NaN and are never produced.
public struct ValueTable: Hashable, Sendable {
  /// The value of every code.
  public let values: [Double]
  /// Where rounding to nearest changes from one value to the next.
  ///
  /// They lie between neighbours in rising order: a value above the threshold gets the upper neighbour.
  /// The midpoints where the format's definition states none; a value at a midpoint then follows the
  /// rounding rule.
  public let thresholds: [Double]?
  /// The value that would follow the largest and, with a minus sign, precede the least.
  ///
  /// Half way to it values overflow. If `nil`, values go on at the distance that the last two have.
  public let beyond: Double?

  /// The codes of finite values in rising order of these, -0 before +0, equal ones in their own order.
  let ascending: [UInt32]
  /// The values of `ascending`.
  private let ascendingValues: [Double]
  /// The finite magnitudes in rising order, each once.
  let magnitudes: [Double]

  /// Creates a table.
  ///
  /// - Parameters:
  ///   - values: 2...256 values: numbers of magnitudes up to 2^1022, at most one infinity of each sign
  ///     and one NaN. No two are the same, but +0 and -0 are two; where thresholds tell which of its
  ///     codes a number gets, several codes may stand for it.
  ///   - thresholds: one less than there are finite values, each between two neighbours, or `nil`.
  ///   - beyond: a number beyond all finite values, or `nil`.
  /// - Precondition: as stated, at least two finite values, and some of them above zero.
  public init(_ values: [Double], thresholds: [Double]? = nil, beyond: Double? = nil) {
    require((2...256).contains(values.count), "a table of \(values.count) values, not 2...256")
    let finite = values.filter(\.isFinite)
    if let value = finite.first(where: { $0.magnitude > 0x1p1022 }) {
      refuse("a table holds \(value), which is not within 2^1022")
    }
    let special = values.filter { !$0.isFinite }
    require(
      Set(special.map(\.description)).count == special.count,
      "a table holds one of \(special) twice")
    require(
      thresholds != nil || Set(finite.map(\.bitPattern)).count == finite.count,
      "a table holds a value twice")
    require(
      finite.count >= 2 && finite.contains { $0 > 0 },
      "a table without two finite values, one of them above zero")
    self.values = values
    self.thresholds = thresholds
    self.beyond = beyond
    let ascending = values.indices.filter { values[$0].isFinite }.map { UInt32($0) }.sorted {
      first, second in
      let (a, b) = (values[Int(first)], values[Int(second)])
      guard a == b else { return a < b }
      return a.sign == b.sign ? first < second : a.sign == .minus
    }
    self.ascending = ascending
    ascendingValues = ascending.map { values[Int($0)] }
    magnitudes = Set(finite.map(\.magnitude)).sorted()
    if let beyond {
      require(
        beyond > magnitudes[magnitudes.count - 1] && beyond <= 0x1p1022,
        "\(beyond) does not lie beyond \(magnitudes[magnitudes.count - 1]) and within 2^1022")
    }
    guard let thresholds else { return }
    require(
      thresholds.count == finite.count - 1,
      "\(thresholds.count) thresholds between \(finite.count) values")
    for (index, threshold) in thresholds.enumerated() {
      let (low, high) = (values[Int(ascending[index])], values[Int(ascending[index + 1])])
      require(
        (low...high).contains(threshold), "threshold \(threshold) is outside \(low)...\(high)")
    }
  }

  /// Tables are equal if their values are, with the sign of zeros, and what they state beside them.
  public static func == (a: ValueTable, b: ValueTable) -> Bool {
    a.thresholds == b.thresholds && a.beyond == b.beyond
      && a.values.elementsEqual(b.values) { $0.bitPattern == $1.bitPattern }
  }

  /// Hashes the values.
  public func hash(into hasher: inout Hasher) {
    for value in values { hasher.combine(value.bitPattern) }
  }

  /// The bits of a code.
  var bitWidth: Int { Int.bitWidth - (values.count - 1).leadingZeroBitCount }

  /// The code of a value, the first of several; of NaN, whatever its sign.
  func code(of value: Double) -> UInt32? {
    values.firstIndex { $0 == value && $0.sign == value.sign || $0.isNaN && value.isNaN }
      .map { UInt32($0) }
  }

  /// The code of the largest value.
  var greatestCode: UInt32 { ascending[ascending.count - 1] }

  /// The exponent of the largest power of two that divides every value.
  var leastSpacingExponent: Int {
    magnitudes.filter { $0 > 0 }.map { value in
      Int(value.exponent) - value.significandWidth
    }.min() ?? 0
  }
}

// MARK: - Rounding

extension ValueTable {
  /// Rounds a finite value to a code, with a limit on magnitudes.
  ///
  /// - Returns: the code, and whether the rounded value lies beyond the values that the limit leaves.
  func code(
    for value: Double, rounding: RoundingRule, index: UInt64, limit: CodeLimit
  ) -> (code: UInt32, saturates: Bool) {
    let (place, isBeyond) = place(of: value, rounding, index)
    let range = usable(limit)
    if place < range.lowerBound { return (ascending[range.lowerBound], true) }
    if place >= range.upperBound { return (ascending[range.upperBound - 1], true) }
    return (ascending[place], isBeyond)
  }

  /// The value next to the one at a place of `ascending`.
  ///
  /// It is another value, so +0 is not next to -0. Beyond the ends values go on at the same distance,
  /// or with `beyond`.
  func next(to place: Int, isAbove: Bool) -> Double {
    let value = value(at: place)
    if let beyond, value.magnitude == magnitudes[magnitudes.count - 1],
      value == 0 || isAbove == (value > 0)
    {
      return isAbove ? beyond : -beyond
    }
    let (above, below) = (
      ascendingValues[place...].first { $0 > value }, ascendingValues[..<place].last { $0 < value }
    )
    // A table has two values that differ, one of them above zero.
    return (isAbove ? above : below) ?? 2 * value - ((isAbove ? below : above) ?? 0)
  }

  private func value(at place: Int) -> Double { ascendingValues[place] }

  /// The places in `ascending` whose magnitudes a limit leaves.
  private func usable(_ limit: CodeLimit) -> Range<Int> {
    guard Int(limit.magnitude) < magnitudes.count - 1 else { return 0..<ascending.count }
    let greatest = magnitudes[Int(limit.magnitude)]
    let places = ascending.indices.filter { value(at: $0).magnitude <= greatest }
    return places[0]..<places[places.count - 1] + 1
  }

  /// The place that a value is rounded to, and whether it lies beyond the last one even after rounding.
  private func place(
    of value: Double, _ rounding: RoundingRule, _ index: UInt64
  ) -> (place: Int, isBeyond: Bool) {
    let last = ascending.count - 1
    if value < self.value(at: 0) {
      let interval = Interval(
        below: next(to: 0, isAbove: false), above: self.value(at: 0), threshold: nil,
        isUpperEven: ascending[0] & 1 == 0)
      return (0, value <= interval.below || !interval.takesUpper(value, rounding, index))
    }
    if value > self.value(at: last) {
      let interval = Interval(
        below: self.value(at: last), above: next(to: last, isAbove: true), threshold: nil,
        isUpperEven: ascending[last] & 1 == 1)
      return (last, value >= interval.above || interval.takesUpper(value, rounding, index))
    }
    // The last place whose value is not above.
    var (low, high) = (0, ascending.count)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if self.value(at: middle) <= value { low = middle } else { high = middle }
    }
    if self.value(at: low) == value {
      return (placeOfExact(value, from: low), false)
    }
    let interval = Interval(
      below: self.value(at: low), above: self.value(at: low + 1), threshold: thresholds?[low],
      isUpperEven: ascending[low + 1] & 1 == 0)
    return (interval.takesUpper(value, rounding, index) ? low + 1 : low, false)
  }

  /// The place of a value that the table holds, of which `last` is the last place.
  ///
  /// A zero gets the code with its sign, if there is one. Of several codes of a number, the threshold
  /// between each two decides: the value is not above it.
  private func placeOfExact(_ value: Double, from last: Int) -> Int {
    func isSame(_ place: Int) -> Bool {
      place >= 0 && self.value(at: place) == value
    }
    let zeros = value == 0 && value.sign == .minus
    var place = last
    while isSame(place - 1) {
      let hasOtherSign = self.value(at: place).sign != self.value(at: place - 1).sign
      let isNotAbove = thresholds.map { value <= $0[place - 1] } ?? false
      guard hasOtherSign ? zeros : isNotAbove else { break }
      place -= 1
    }
    return place
  }

  /// Two neighbouring values.
  private struct Interval {
    let below: Double
    let above: Double
    /// What the table states instead of the midpoint.
    let threshold: Double?
    let isUpperEven: Bool

    /// Whether a value between the two is rounded to the upper one.
    func takesUpper(_ value: Double, _ rounding: RoundingRule, _ index: UInt64) -> Bool {
      switch rounding {
      case .toNearestOrEven: return isNearerUpper(value, tie: isUpperEven)
      case .toNearestOrAway: return isNearerUpper(value, tie: value > 0)
      case .toNearestOrTowardZero: return isNearerUpper(value, tie: value < 0)
      case .toNearestOrUp: return isNearerUpper(value, tie: true)
      case .towardZero:
        // Around zero, where zero is no value, the two may be equally near.
        return above.magnitude == below.magnitude
          ? value.sign == .plus : above.magnitude < below.magnitude
      case .up: return true
      case .down: return false
      case .toOdd: return !isUpperEven
      case .stochastic(let source):
        // Away from zero, as for all other elements.
        let (inner, outer) = value < 0 ? (above, below) : (below, above)
        let share = (value - inner) / (outer - inner)
        let unit = UInt64(1) << UInt64(source.randomBitCount)
        let isOutward =
          UInt64(share * Double(unit)) + UInt64(source.randomBits(at: index)) >= unit
        return isOutward == (value >= 0)
      }
    }

    private func isNearerUpper(_ value: Double, tie: Bool) -> Bool {
      if let threshold { return value > threshold }
      let (twice, sum) = (2 * value, below + above)
      // Rounding the sum never moves it past `twice`; where it meets it, its error decides.
      guard twice == sum else { return twice > sum }
      let part = sum - below
      let error = (below - (sum - part)) + (above - part)
      return error == 0 ? tie : error < 0
    }
  }
}
