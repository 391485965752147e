internal import CBlockKernels

/// Values whose units, of one length, have a multiplier and a scale each.
struct UnitValues {
  var values: UnsafePointer<Float>
  var count: Int
  var unit: Int
  /// `nil` where values are not scaled.
  var multipliers: UnsafePointer<Float>?
  /// What codes are multiplied by.
  var scaleValues: UnsafePointer<Float>
  /// `nil` where rounding needs none.
  var randomWords: UnsafePointer<UInt32>?

  /// Some of the values, from the first of a unit on.
  func part(_ range: Range<Int>) -> UnitValues {
    let (first, firstUnit) = (range.lowerBound, range.lowerBound / unit)
    return UnitValues(
      values: values + first, count: range.count, unit: unit,
      multipliers: multipliers.map { $0 + firstUnit }, scaleValues: scaleValues + firstUnit,
      randomWords: randomWords.map { $0 + first })
  }
}

extension PanelEncoder {
  /// Encodes values to codes of up to eight bits.
  ///
  /// - Parameters:
  ///   - values: the values.
  ///   - isTame: what the scale kernels say of them.
  ///   - prefetch: how many bytes ahead values are fetched.
  ///   - codes: receives the codes.
  /// - Returns: how many overflowed.
  func encode(
    _ values: UnitValues, isTame: Bool, prefetch: Int, into codes: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let table = table
    return sumOverRuns(of: values, isTame: isTame) { element, run, first in
      table.pointee.encode(
        element, isTame, run.values, run.count, run.multipliers, run.unit, run.randomWords,
        prefetch, codes + first)
    }
  }

  /// Calls `body` with runs of values whose codes have one limit, with the element under it and the
  /// place of the first value, and adds up the results.
  ///
  /// Limits belong to scales near the largest FP32 number, so that nearly always one run is all.
  func sumOverRuns(
    of all: UnitValues, isTame: Bool,
    _ body: (UnsafePointer<BKElement>, UnitValues, Int) -> Int
  ) -> Int {
    guard !isTame, policy.overflow == .saturate, all.multipliers != nil else {
      return body(constants.element, all, 0)
    }
    var (sum, first) = (0, 0)
    for unit in 0..<(all.count + all.unit - 1) / all.unit {
      let limit = codeLimit(scale: all.scaleValues[unit])
      guard limit != .none else { continue }
      let range = unit * all.unit..<min((unit + 1) * all.unit, all.count)
      if first < range.lowerBound {
        sum += body(constants.element, all.part(first..<range.lowerBound), first)
      }
      var limited = constants.element.pointee.limited(to: limit, by: plan.encoder)
      sum += body(&limited, all.part(range), range.lowerBound)
      first = range.upperBound
    }
    return first < all.count
      ? sum + body(constants.element, all.part(first..<all.count), first) : sum
  }

  /// The limit under a scale, by the arithmetic of `decode`.
  private func codeLimit(scale: Float) -> CodeLimit {
    // Only two-level formats have a tensor scale, which is one elsewhere.
    func decoded(_ element: Double) -> Float {
      Float(element) * scale * constants.tensorScale.decode
    }
    guard !decoded(plan.greatestMagnitude).isFinite else { return .none }
    return plan.elementFormat.codeLimit(decoded)
  }
}
