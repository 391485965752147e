/// What the numbers of an operand reach, from which it follows how kernels multiply two of them.
struct OperandRange: Sendable {
  var scales = ScaleRange()
  /// The bits of the least BF16 element, without its sign, that is not zero; where nobody asks, and
  /// where there is none, more than those of any.
  private var leastElement = UInt32.max

  /// The range of nothing.
  init() {}

  init(scales: ScaleRange, leastElement: UInt32) {
    self.scales = scales
    self.leastElement = leastElement
  }

  /// The range of the numbers of several ranges.
  init(unionOf ranges: some Sequence<OperandRange>) {
    for range in ranges { formUnion(range) }
  }

  /// Adds the numbers of another range.
  mutating func formUnion(_ other: OperandRange) {
    scales.formUnion(other.scales)
    leastElement = min(leastElement, other.leastElement)
  }

  /// Whether sums of BF16 products with columns may be subnormal, or elements are.
  ///
  /// With e the exponent of an operand's least element, all its elements are multiples of 2^(e-7), and
  /// all products multiples of u = 2^(eₐ + e_b - 14). So are their sums, rounded or not: rounding to 24
  /// bits leaves small ones as they are, and gives multiples of larger powers of two elsewhere. A sum is
  /// then zero or at least u, which is a normal number from 2^-126 on.
  func canFlush(with columns: OperandRange) -> Bool {
    let (e, f) = (leastExponent, columns.leastExponent)
    return min(e, f) < -126 || e + f - 14 < -126
  }

  private var leastExponent: Int {
    let field = Int(min(leastElement, 0x7F80) >> 7)
    return field == 0 ? .min / 4 : field - 127
  }

  /// How rows of this range meet columns.
  func meeting(_ columns: OperandRange, _ definition: ProductDefinition) -> Meeting {
    let flushes = definition.canFlush && canFlush(with: columns)
    return Meeting(
      scaleProduct: scales.product(with: columns.scales, definition, flushes: flushes),
      flushes: flushes)
  }

  /// How the kernels multiply two operands.
  struct Meeting {
    let scaleProduct: ScaleRange.Product
    /// Whether sums are flushed to zero.
    let flushes: Bool

    /// FP32 numbers have no scales.
    static let ofFloats = Meeting(scaleProduct: .multiplied, flushes: false)
  }
}
