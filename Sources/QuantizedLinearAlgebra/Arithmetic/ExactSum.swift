/// A sum of products without rounding: a fixed-point number wide enough for every product of four
/// FP32 numbers.
///
/// The register is a row of limbs with 32 bits of weight each and 64 bits of room, from 2^-864 on,
/// so that additions leave carries where they arise. `settle` propagates them.
///
/// Source: Kulisch, "Computer Arithmetic and Validity", 2013, on complete accumulators.
struct ExactSum {
  /// The weight of the lowest bit is 2^-864: products are at least 2^-738, and their significands
  /// reach 104 bits lower.
  private static let lowestExponent = -864
  /// Products are below 2^727, and sums of less than 2^62 of them below 2^789.
  private static let limbCount = 53
  /// Additions to a limb that cannot overflow it.
  private static let greatestPending = 1 << 29

  private var limbs = [Int64](repeating: 0, count: limbCount)
  /// The limbs that may differ from zero.
  private var lowest = limbCount
  private var highest = -1
  private var pending = 0
  /// The sum of what is not finite.
  private var special = 0.0

  /// Starts from zero.
  mutating func reset() {
    if lowest <= highest { for index in lowest...highest { limbs[index] = 0 } }
    (lowest, highest, pending, special) = (Self.limbCount, -1, 0, 0)
  }

  /// Adds x · y.
  ///
  /// - Precondition: each is not finite, zero, or a normal number, and so is their product, which is
  ///   of a magnitude in 2^-738..<2^727.
  mutating func add(_ x: Double, times y: Double) {
    let product = x * y
    guard product.isFinite else {
      special += product
      return
    }
    guard product != 0 else { return }
    if pending == Self.greatestPending { settle() }
    pending += 1
    let hidden = UInt64(1) << 52
    let (high, low) = (x.bitPattern & (hidden - 1) | hidden).multipliedFullWidth(
      by: y.bitPattern & (hidden - 1) | hidden)
    let bit = x.binaryExponent + y.binaryExponent - 104 - Self.lowestExponent
    let isNegative = product < 0
    add(low, at: bit, isNegative)
    if high != 0 { add(high, at: bit + 64, isNegative) }
  }

  private mutating func add(_ word: UInt64, at bit: Int, _ isNegative: Bool) {
    let (first, shift) = (bit >> 5, UInt64(bit & 31))
    let mask: UInt64 = 0xFFFF_FFFF
    let sign: Int64 = isNegative ? -1 : 1
    let low = word << shift
    // Two shifts, because none may be by 64 bits.
    let high = (word >> 32) >> (32 - shift)
    limbs[first] += sign * Int64(low & mask)
    limbs[first + 1] += sign * Int64(low >> 32)
    limbs[first + 2] += sign * Int64(high)
    lowest = min(lowest, first)
    highest = max(highest, first + 2)
  }

  /// Propagates carries: all limbs but the highest are in 0..<2^32, and the highest has the sign
  /// and the range of `Int32`.
  mutating func settle() {
    pending = 0
    guard lowest <= highest else { return }
    var carry: Int64 = 0
    for index in lowest...highest {
      let value = limbs[index] + carry
      if index == highest && Int32(exactly: value) != nil {
        limbs[index] = value
        return
      }
      carry = value >> 32
      limbs[index] = value & 0xFFFF_FFFF
    }
    highest += 1
    limbs[highest] = carry
  }

  /// Whether nothing but finite products came.
  var isFinite: Bool { special == 0 }

  /// NaN or an infinity where that is the sum, and else 0.
  var specialValue: Double { special }

  /// The sum rounded to FP32, to nearest, ties to even; zero is +0.
  func rounded() -> Float {
    guard isFinite else { return Float(special) }
    return Magnitude(self).rounded()
  }

  /// The sum as a sign and settled limbs.
  struct Magnitude {
    private let limbs: [Int64]
    private let isNegative: Bool
    /// The position of the leading one, from 2^-864; `nil` for zero.
    private let leadingBit: Int?

    init(_ sum: ExactSum) {
      var sum = sum
      sum.settle()
      let isNegative = sum.highest >= 0 && sum.limbs[sum.highest] < 0
      if isNegative {
        for index in sum.lowest...sum.highest { sum.limbs[index].negate() }
        sum.settle()
      }
      self.isNegative = isNegative
      limbs = sum.limbs
      var top = sum.highest
      while top >= sum.lowest, limbs[top] == 0 { top -= 1 }
      leadingBit =
        top < sum.lowest || top < 0 ? nil : 32 * top + 63 - limbs[top].leadingZeroBitCount
    }

    /// floor(log2 |x|), or `nil` for zero.
    var exponent: Int? { leadingBit.map { $0 + ExactSum.lowestExponent } }

    /// x / 2^exponent, truncated toward zero.
    ///
    /// - Precondition: it is below 2^62.
    func truncated(toMultipleOf exponent: Int) -> Int64 {
      let value = Int64(bits(from: exponent - ExactSum.lowestExponent))
      return isNegative ? -value : value
    }

    /// The nearest FP32 number, ties to even.
    func rounded() -> Float {
      guard let exponent else { return 0 }
      if exponent > 127 { return isNegative ? -.infinity : .infinity }
      // The weight of the last bit kept; -149 is that of subnormal numbers.
      let last = max(exponent - 23, -149)
      let position = last - ExactSum.lowestExponent
      var kept = bits(from: position)
      let half = bits(from: position - 1) & 1
      if half == 1 && (kept & 1 == 1 || hasBits(below: position - 1)) { kept += 1 }
      // Exact, but for 2^24 · 2^104, which is infinite.
      let value = Float(sign: .plus, exponent: last, significand: Float(kept))
      return isNegative ? -value : value
    }

    /// The bits from a position on.
    private func bits(from position: Int) -> UInt64 {
      guard let leadingBit, leadingBit >= position else { return 0 }
      var result: UInt64 = 0
      for index in stride(from: leadingBit >> 5, through: position >> 5, by: -1) {
        let limb = UInt64(limbs[index])
        let offset = 32 * index - position
        result |= offset >= 0 ? limb << UInt64(offset) : limb >> UInt64(-offset)
      }
      return result
    }

    private func hasBits(below position: Int) -> Bool {
      let (whole, rest) = (position >> 5, position & 31)
      if limbs[whole] & ((1 << Int64(rest)) - 1) != 0 { return true }
      return limbs[..<whole].contains { $0 != 0 }
    }
  }
}
