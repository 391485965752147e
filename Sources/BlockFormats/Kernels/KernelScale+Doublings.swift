internal import CBlockKernels

extension HiF4Format: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byPowersOfTwo }
  var poisonCode: UInt32 { 0 }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    // A random word meets more bits of a product than FP32 holds.
    if case .stochastic = policy.rounding { return nil }
    guard let element = kernelElement(policy: policy), element.saturates else { return nil }
    return .doubled(Self.kernelRule)
  }

  /// The format's arithmetic as numbers that magnitudes meet, found by asking the format.
  ///
  /// Scales and reciprocals of four times a code's fraction, and of magnitudes in one binade, say all:
  /// those of other powers of two are the same times powers of two.
  private static let kernelRule: BKDoublings = {
    let scale = ElementFormat.ue6m2
    let lowest = scaleCode(amax: 1)
    func step(_ count: UInt32) -> UInt32 {
      leastPattern(from: 0, below: 1 << 23) {
        scaleCode(amax: Float(bitPattern: 127 << 23 | $0)) >= lowest + count
      }
    }
    func limit(_ fraction: UInt32) -> UInt32 {
      let reciprocal = reciprocal(ofScale: fraction)
      return leastPattern(from: 0, below: Float.infinity.bitPattern) {
        Double(Float(bitPattern: $0)) * reciprocal >= eightLimit
      }
    }
    func multiplier(_ fraction: UInt32) -> UInt32 {
      Float(reciprocal(ofScale: fraction)).bitPattern
    }
    return BKDoublings(
      offset: Int32(lowest) - 4 * 127, steps: (step(1), step(2), step(3), step(4)),
      greatest_code: scale.greatestFiniteCode, nan_code: scale.nanCode ?? ~0,
      least_scale: Float(scale.value(of: 0)).bitPattern,
      limits: (limit(0), limit(1), limit(2), limit(3)),
      multipliers: (multiplier(0), multiplier(1), multiplier(2), multiplier(3)),
      // Codes that count in halves of a spacing stay far below what a byte holds.
      reach: Float(16 * scale.greatestFiniteMagnitude).bitPattern)
  }()

  /// The least pattern for which a condition holds that no greater one breaks; `end` where there is none.
  private static func leastPattern(
    from start: UInt32, below end: UInt32, where holds: (UInt32) -> Bool
  ) -> UInt32 {
    var (least, end) = (start, end)
    while least < end {
      let middle = least + (end - least) / 2
      if holds(middle) { end = middle } else { least = middle + 1 }
    }
    return least
  }
}

extension KernelPlanes {
  /// Where a panel of one row begins in each plane of blocks whose parts are doubled.
  struct DoubledPlaces {
    let codes: UnsafeMutablePointer<UInt8>
    let scales: UnsafeMutablePointer<UInt8>
    let outer: UnsafeMutablePointer<UInt8>
    let inner: UnsafeMutablePointer<UInt8>
  }

  /// The bytes of a panel that begins with a block.
  func doubledPlaces(of panel: PanelGrid.Panel) -> DoubledPlaces {
    let (row, column) = (panel.codes.row, panel.codes.column)
    return DoubledPlaces(
      codes: codes.bytes(row: row, column),
      scales: scales.bytes(row: row, column / Int(BK_DOUBLED_BLOCK)),
      outer: doublings.outer.bytes(row: row, column / 8),
      inner: doublings.inner.bytes(row: row, column / 4))
  }
}
