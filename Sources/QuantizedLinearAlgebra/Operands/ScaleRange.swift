internal import CProductKernels

/// The exponents of an operand's scales, from which it follows how kernels multiply two of them.
struct ScaleRange: Sendable {
  /// floor(log2) of the smallest and the largest magnitude, 1 among them, and no zero and nothing
  /// that is not finite; -149 for all subnormal numbers.
  private(set) var lowest = 0
  private(set) var highest = 0
  /// Whether all are normal powers of two.
  private(set) var arePowersOfTwo = true

  /// The range of the scale 1.
  init() {}

  /// The range of some scales.
  init(_ scales: UnsafeBufferPointer<Float>) {
    for scale in scales { insert(scale) }
  }

  /// The range of the scales of several ranges.
  init(unionOf ranges: some Sequence<ScaleRange>) {
    for range in ranges { formUnion(range) }
  }

  private mutating func insert(_ scale: Float) {
    let (field, fraction) = (scale.exponentBitPattern, scale.significandBitPattern)
    let isNormal = (1..<255).contains(field)
    arePowersOfTwo = arePowersOfTwo && isNormal && fraction == 0 && scale > 0
    guard isNormal || scale.isSubnormal else { return }
    let exponent = isNormal ? Int(field) - 127 : -149
    lowest = min(lowest, exponent)
    highest = max(highest, exponent)
  }

  /// Adds the scales of another range.
  mutating func formUnion(_ other: ScaleRange) {
    lowest = min(lowest, other.lowest)
    highest = max(highest, other.highest)
    arePowersOfTwo = arePowersOfTwo && other.arePowersOfTwo
  }

  /// Exponents of which the sum of two, with that of usual units, is one of a normal number.
  private static let narrow = -48...48

  /// Whether products with any other narrow range are normal numbers.
  var isNarrow: Bool { Self.narrow.contains(lowest) && Self.narrow.contains(highest) }

  /// Whether a scale is a part of a narrow range.
  static func isNarrow(_ scale: Float) -> Bool {
    narrow.contains(Int(scale.exponentBitPattern) - 127)
  }

  /// How scales of rows meet those of columns.
  enum Product: CaseIterable {
    /// Powers of two, whose exponents are added.
    case addedExponents
    /// As normal FP32 numbers.
    case multiplied
    /// In numbers without limits of the exponent.
    case unlimitedExponents
  }

  /// How rows whose scales have this range meet columns.
  func product(
    with columns: ScaleRange, _ definition: ProductDefinition, flushes: Bool
  ) -> Product {
    let normal = -126...127
    let unit = definition.scaleExponent
    // Two significands have a product below 4.
    guard normal.contains(lowest + unit), normal.contains(highest + unit),
      normal.contains(lowest + columns.lowest + unit),
      normal.contains(highest + columns.highest + unit + 1)
    else { return .unlimitedExponents }
    // The BF16 unit that flushes has no kernel that adds exponents, and neither have offsets.
    let isPlain = !flushes && !definition.hasOffsets
    return arePowersOfTwo && columns.arePowersOfTwo && isPlain
      ? .addedExponents : .multiplied
  }
}

extension ScaleRange.Product {
  /// The same in the kernels' interface.
  var code: BKScaleProduct {
    switch self {
    case .addedExponents: BK_ADDED_EXPONENTS
    case .multiplied: BK_MULTIPLIED
    case .unlimitedExponents: BK_UNLIMITED_EXPONENTS
    }
  }
}
