import CallerChecks

/// The values of an element format that no formula gives: one for each code.
///
/// Codes at and above `values.count`, where that is no power of two, decode to NaN and are never
/// produced.
public struct ValueTable: Hashable, Sendable {
  /// The value of every code.
  public let values: [Double]
  /// Where rounding to nearest changes from one value to the next.
  ///
  /// They lie between neighbours in rising order: a value above the threshold gets the upper neighbour.
  /// The midpoints where the format's definition states none; a value at a midpoint then follows the
  /// rounding rule.
  public let thresholds: [Double]?

  /// The codes in rising order of their values, -0 before +0.
  let ascending: [UInt32]
  /// The finite magnitudes in rising order, each once.
  let magnitudes: [Double]

  /// Creates a table.
  ///
  /// - Parameters:
  ///   - values: 2...256 values of magnitudes up to 2^1022, no two the same; +0 and -0 are two.
  ///   - thresholds: one less than there are values, each between two neighbours, or `nil`.
  /// - Precondition: as stated, and some value is above zero.
  public init(_ values: [Double], thresholds: [Double]? = nil) {
    require((2...256).contains(values.count), "a table of \(values.count) values, not 2...256")
    if let value = values.first(where: { !($0.magnitude <= 0x1p1022) }) {
      refuse("a table holds \(value), which is not within 2^1022")
    }
    require(
      Set(values.map(\.bitPattern)).count == values.count, "a table holds a value twice")
    require(values.contains { $0 > 0 }, "a table without a value above zero")
    self.values = values
    self.thresholds = thresholds
    let ascending = values.indices.map { UInt32($0) }.sorted { first, second in
      let (a, b) = (values[Int(first)], values[Int(second)])
      return a == b ? a.sign == .minus && b.sign == .plus : a < b
    }
    self.ascending = ascending
    magnitudes = Set(values.map(\.magnitude)).sorted()
    guard let thresholds else { return }
    require(
      thresholds.count == values.count - 1,
      "\(thresholds.count) thresholds between \(values.count) values")
    for (index, threshold) in thresholds.enumerated() {
      let (low, high) = (values[Int(ascending[index])], values[Int(ascending[index + 1])])
      require(
        (low...high).contains(threshold), "threshold \(threshold) is outside \(low)...\(high)")
    }
  }

  /// The bits of a code.
  var bitWidth: Int { Int.bitWidth - (values.count - 1).leadingZeroBitCount }

  /// The code of a value.
  func code(of value: Double) -> UInt32? {
    values.firstIndex { $0 == value && $0.sign == value.sign }.map { UInt32($0) }
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
  /// It is another value, so +0 is not next to -0. Beyond the ends values go on at the same distance.
  func next(to place: Int, isAbove: Bool) -> Double {
    let value = value(at: place)
    let (above, below) = (
      ascending[place...].lazy.map { values[Int($0)] }.first { $0 > value },
      ascending[..<place].lazy.reversed().map { values[Int($0)] }.first { $0 < value }
    )
    // A table has two values that differ, one of them above zero.
    return (isAbove ? above : below) ?? 2 * value - ((isAbove ? below : above) ?? 0)
  }

  private func value(at place: Int) -> Double { values[Int(ascending[place])] }

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
      let isNegativeZero = value == 0 && value.sign == .minus && low > 0
      return (isNegativeZero && self.value(at: low - 1) == 0 ? low - 1 : low, false)
    }
    let interval = Interval(
      below: self.value(at: low), above: self.value(at: low + 1), threshold: thresholds?[low],
      isUpperEven: ascending[low + 1] & 1 == 0)
    return (interval.takesUpper(value, rounding, index) ? low + 1 : low, false)
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
