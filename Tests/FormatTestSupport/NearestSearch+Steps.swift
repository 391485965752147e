extension NearestSearch {
  /// A run of `Float` bit patterns, sign bit included, that one code belongs to.
  public struct Run: Sendable {
    public let patterns: ClosedRange<UInt32>
    public let code: UInt32
  }

  /// All 2^32 `Float` patterns as runs of equal codes, in ascending order of patterns.
  ///
  /// Magnitudes grow with the pattern, so the code is a step function of it. Each step is placed
  /// by a comparison with the exact threshold between two values, not by encoding anything.
  public func floatRuns(_ rounding: Rounding, _ overflow: Overflow) -> [Run] {
    floatRuns(.plus, rounding, overflow) + floatRuns(.minus, rounding, overflow)
  }

  private func floatRuns(
    _ sign: FloatingPointSign, _ rounding: Rounding, _ overflow: Overflow
  ) -> [Run] {
    let signBits: UInt32 = sign == .minus ? 0x8000_0000 : 0
    let infinity: UInt32 = 0x7F80_0000
    var starts: [(pattern: UInt32, code: UInt32)] = []
    // A later step that starts at the same pattern replaces the earlier, empty one.
    func start(_ code: UInt32, at pattern: UInt32) {
      if let last = starts.last, last.pattern == pattern { starts.removeLast() }
      if starts.last?.code != code { starts.append((pattern, code)) }
    }
    if element.isSigned || sign == .plus {
      let ladder = ladder(ofSign: sign)
      start(ladder.codes[0], at: 0)
      for index in ladder.codes.indices {
        let pattern = Self.firstPattern(after: index, of: ladder, sign, rounding)
        guard pattern < infinity else { break }
        let next = index + 1
        start(
          next < ladder.codes.count
            ? ladder.codes[next] : overflowCode(sign, rounding, overflow, isFinite: true),
          at: pattern)
      }
      start(overflowCode(sign, rounding, overflow, isFinite: false), at: infinity)
    } else {
      start(positive.codes[0], at: 0)
      // What rounds to zero is zero; only what stays negative is below the range.
      let below = overflow == .special ? nanCode ?? 0 : 0
      let first =
        positive.sizes[0] == 0 ? Self.firstPattern(after: 0, of: positive, sign, rounding) : 1
      start(below, at: first)
    }
    start(code(for: .nan, rounding, overflow), at: infinity + 1)
    return starts.indices.map { index in
      let end = index + 1 < starts.count ? starts[index + 1].pattern - 1 : 0x7FFF_FFFF
      return Run(
        patterns: (starts[index].pattern | signBits)...(end | signBits), code: starts[index].code)
    }
  }

  /// The first magnitude pattern that the step after `index` takes.
  private static func firstPattern(
    after index: Int, of ladder: Ladder, _ sign: FloatingPointSign, _ rounding: Rounding
  ) -> UInt32 {
    let (lower, upper) = (ladder.sizes[index], ladder.sizes[index + 1])
    let (threshold, isIncluded): (Double, Bool) =
      switch rounding {
      case .nearestEven: ((lower + upper) / 2, !ladder.isEven(index))
      case .nearestAway: ((lower + upper) / 2, true)
      case .nearestTowardZero: ((lower + upper) / 2, false)
      case .nearestUp: ((lower + upper) / 2, sign == .plus)
      case .towardZero: (upper, true)
      case .up: sign == .plus ? (lower, false) : (upper, true)
      case .down: sign == .plus ? (upper, true) : (lower, false)
      case .toOdd: ladder.isEven(index) ? (lower, false) : (upper, true)
      }
    return firstPattern(threshold, isIncluded: isIncluded)
  }

  /// The pattern of the smallest non-negative `Float` at, or strictly above, a threshold.
  static func firstPattern(_ threshold: Double, isIncluded: Bool) -> UInt32 {
    func isReached(_ pattern: UInt32) -> Bool {
      let value = Double(Float(bitPattern: pattern))
      return isIncluded ? value >= threshold : value > threshold
    }
    // Bisection over the patterns of 0 to infinity, whose values ascend.
    var (low, high): (UInt32, UInt32) = (0, 0x7F80_0000)
    while low < high {
      let middle = low + (high - low) / 2
      if isReached(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
