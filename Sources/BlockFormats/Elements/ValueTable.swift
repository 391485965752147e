import CallerChecks

/// The values of an element format that no formula gives: one for each code.
///
/// Codes at and above `values.count`, where that is no power of two, decode to NaN and are never
/// produced.
public struct ValueTable: Hashable, Sendable {
  /// The value of every code.
  public let values: [Double]
  /// Where rounding to nearest changes from one value to the next, between neighbours in rising
  /// order: a value above the threshold gets the upper neighbour. The midpoints where the format's
  /// definition states none; a value at a midpoint then follows the rounding rule.
  public let thresholds: [Double]?

  /// The codes in rising order of their values, -0 before +0.
  let ascending: [UInt32]
  /// The finite magnitudes in rising order, each once.
  let magnitudes: [Double]

  /// Creates a table.
  ///
  /// - Parameters:
  ///   - values: 2...256 finite values, no two the same; +0 and -0 are two.
  ///   - thresholds: one less than there are values, each between two neighbours, or `nil`.
  /// - Precondition: as stated, and some value is above zero.
  public init(_ values: [Double], thresholds: [Double]? = nil) {
    require((2...256).contains(values.count), "a table of \(values.count) values, not 2...256")
    require(values.allSatisfy(\.isFinite), "a table holds a value that is not finite")
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
  /// - Returns: the code, and whether the value lies beyond the values that the limit leaves.
  func code(
    for value: Double, rounding: RoundingRule, index: UInt64, limit: CodeLimit
  ) -> (code: UInt32, saturates: Bool) {
    let range = usable(limit)
    let (first, last) = (ascending[range.lowerBound], ascending[range.upperBound - 1])
    guard value >= values[Int(first)] else {
      return (first, rounded(value, beyond: range.lowerBound, towards: -1, rounding, index))
    }
    guard value <= values[Int(last)] else {
      return (last, rounded(value, beyond: range.upperBound - 1, towards: 1, rounding, index))
    }
    // The last value that is not above.
    var (low, high) = (range.lowerBound, range.upperBound)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if values[Int(ascending[middle])] <= value { low = middle } else { high = middle }
    }
    let below = values[Int(ascending[low])]
    if below == value { return (exact(value, at: low), false) }
    let takesUpper = takesUpper(value, above: low, rounding, index)
    return (ascending[takesUpper ? low + 1 : low], false)
  }

  /// The places in `ascending` whose magnitudes a limit leaves.
  private func usable(_ limit: CodeLimit) -> Range<Int> {
    guard Int(limit.magnitude) < magnitudes.count - 1 else { return 0..<ascending.count }
    let greatest = magnitudes[Int(limit.magnitude)]
    let places = ascending.indices.filter { values[Int(ascending[$0])].magnitude <= greatest }
    return places[0]..<places[places.count - 1] + 1
  }

  /// The code of a value that is in the table, whose sign of zero may be the other one.
  private func exact(_ value: Double, at place: Int) -> UInt32 {
    guard value == 0 else { return ascending[place] }
    return code(of: value) ?? ascending[place]
  }

  /// Whether a value between a place and the next is rounded to the next.
  private func takesUpper(
    _ value: Double, above place: Int, _ rounding: RoundingRule, _ index: UInt64
  ) -> Bool {
    let (below, above) = (values[Int(ascending[place])], values[Int(ascending[place + 1])])
    // Neighbours may be as far apart as Double allows in parts, but not in whole.
    let share = (value / 2 - below / 2) / (above / 2 - below / 2)
    func isNearer(_ tie: Bool) -> Bool {
      if let thresholds { return value > thresholds[place] }
      let (down, up) = (value / 2 - below / 2, above / 2 - value / 2)
      return down == up ? tie : down > up
    }
    switch rounding {
    case .toNearestOrEven: return isNearer(ascending[place + 1] & 1 == 0)
    case .toNearestOrAway: return isNearer(value > 0)
    case .towardZero: return value < 0
    case .up: return true
    case .down: return false
    case .toOdd: return ascending[place + 1] & 1 == 1
    case .stochastic(let source):
      // Away from zero, as for all other elements.
      let outward = value < 0 ? 1 - share : share
      let steps = UInt64(outward * Double(UInt64(1) << UInt64(source.randomBitCount)))
      let isOutward =
        steps + UInt64(source.randomBits(at: index)) >= 1 << UInt64(source.randomBitCount)
      return isOutward == (value > 0)
    }
  }

  /// Whether a value beyond the last usable one still is beyond it after rounding, as if the values
  /// went on at the same distance.
  private func rounded(
    _ value: Double, beyond place: Int, towards direction: Int, _ rounding: RoundingRule,
    _ index: UInt64
  ) -> Bool {
    let end = values[Int(ascending[place])]
    let inner = ascending.indices.contains(place - direction) ? place - direction : place
    let step = (end - values[Int(ascending[inner])]).magnitude
    let distance = (value - end).magnitude
    guard step > 0, distance < step else { return true }
    switch rounding {
    case .toNearestOrEven, .toNearestOrAway: return distance >= step / 2
    case .toOdd: return ascending[place] & 1 == 0
    case .towardZero: return (value > 0) == (direction < 0)
    case .up: return direction > 0
    case .down: return direction < 0
    case .stochastic(let source):
      let steps = UInt64(distance / step * Double(UInt64(1) << UInt64(source.randomBitCount)))
      return steps + UInt64(source.randomBits(at: index)) >= 1 << UInt64(source.randomBitCount)
    }
  }
}
