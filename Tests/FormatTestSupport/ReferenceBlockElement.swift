/// A slow element codec for checking block formats: a sorted list of magnitudes and a search.
///
/// Nothing here comes from the code under test. A format is written as field widths, bias and
/// special codes; its values are listed once, and encoding looks for the two neighbours in the
/// list.
public struct ReferenceBlockElement: Sendable {
  /// Which magnitude codes of a floating-point format are not finite.
  public enum Specials: Sendable {
    case allFinite
    /// The top exponent field is infinity and NaN.
    case ieee
    /// The top magnitude code is NaN.
    case topCode
    /// The top exponent field is NaN.
    case topExponent
    /// The code of minus zero is NaN.
    case minusZero
  }

  public let bitWidth: Int
  public let isSigned: Bool
  public let isInteger: Bool
  /// Finite magnitudes in the order of codes.
  let magnitudes: [Double]
  /// The value that would follow the largest, with an unbounded exponent.
  let beyond: Double
  let nanCode: UInt32?
  let infinityCode: UInt32?
  let hasMinusZero: Bool
  /// Whether the most negative two's-complement code may be produced.
  let usesFullRange: Bool

  /// The largest finite value.
  public var greatest: Double { magnitudes[magnitudes.count - 1] }
  /// The width of the fraction field, or of the digits behind an integer's leading bit.
  public let fractionBits: Int

  /// Sign, exponent and fraction fields.
  public static func float(
    _ exponentBits: Int, _ fractionBits: Int, bias: Int, _ specials: Specials,
    signed: Bool = true, hasZero: Bool = true
  ) -> ReferenceBlockElement {
    var magnitudes: [Double] = []
    let steps = 1 << fractionBits
    for exponent in 0..<(1 << exponentBits) {
      let isLow = exponent == 0 && hasZero
      let power = powerOfTwo((isLow ? 1 : exponent) - bias)
      for fraction in 0..<steps {
        magnitudes.append((Double(fraction) / Double(steps) + (isLow ? 0 : 1)) * power)
      }
    }
    let all = magnitudes.count
    switch specials {
    case .allFinite, .minusZero: break
    case .ieee, .topExponent: magnitudes.removeLast(steps)
    case .topCode: magnitudes.removeLast()
    }
    let finite = UInt32(magnitudes.count)
    let nan: UInt32? =
      switch specials {
      case .allFinite: nil
      case .ieee: finite + UInt32(steps / 2)
      case .topCode, .topExponent: UInt32(all - 1)
      case .minusZero: UInt32(all)
      }
    return ReferenceBlockElement(
      bitWidth: exponentBits + fractionBits + (signed ? 1 : 0), isSigned: signed,
      isInteger: false, magnitudes: magnitudes,
      beyond: fractionBits == 0 && exponentBits > 0
        ? 2 * magnitudes[magnitudes.count - 1]
        : 2 * magnitudes[magnitudes.count - 1] - magnitudes[magnitudes.count - 2],
      nanCode: nan, infinityCode: specials == .ieee ? finite : nil,
      hasMinusZero: signed && hasZero && specials != .minusZero, usesFullRange: false,
      fractionBits: exponentBits == 0 ? fractionBits - 1 : fractionBits)
  }

  /// A two's-complement integer times 2^(-fraction).
  public static func integer(
    _ bits: Int, fraction: Int = 0, full: Bool = false
  ) -> ReferenceBlockElement {
    let unit = powerOfTwo(-fraction)
    let count = 1 << (bits - 1)
    return ReferenceBlockElement(
      bitWidth: bits, isSigned: true, isInteger: true,
      magnitudes: (0..<count).map { Double($0) * unit }, beyond: Double(count) * unit,
      nanCode: nil, infinityCode: nil, hasMinusZero: false, usesFullRange: full,
      fractionBits: bits - 2)
  }

  /// Sign and magnitude, M · 2^(1-m).
  public static func signMagnitude(_ m: Int) -> ReferenceBlockElement {
    float(0, m, bias: 0, .allFinite)
  }

  /// An unsigned integer.
  public static func unsigned(_ bits: Int) -> ReferenceBlockElement {
    float(0, bits, bias: 1 - bits, .allFinite, signed: false)
  }

  /// 2^exponent by repeated multiplication.
  public static func powerOfTwo(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<abs(exponent) { result *= exponent < 0 ? 0.5 : 2 }
    return result
  }
}

extension ReferenceBlockElement {
  private var signBit: UInt32 { isSigned ? 1 << UInt32(bitWidth - 1) : 0 }

  /// The value of a code.
  public func value(of code: UInt32) -> Double {
    if isInteger {
      let negative = code >= signBit
      let unit = magnitudes[1]
      return (negative ? Double(code) - 2 * Double(signBit) : Double(code)) * unit
    }
    let negative = isSigned && code >= signBit
    let magnitude = Int(negative ? code - signBit : code)
    if negative && magnitude == 0 && !hasMinusZero && magnitudes[0] == 0 { return .nan }
    if magnitude < magnitudes.count {
      return negative ? -magnitudes[magnitude] : magnitudes[magnitude]
    }
    if UInt32(magnitude) == infinityCode { return negative ? -.infinity : .infinity }
    return .nan
  }

  /// The code of a value, and whether a finite value overflowed.
  public func encode(
    _ x: Double, _ policy: ReferenceBlockPolicy, index: Int
  ) -> (code: UInt32, overflowed: Bool) {
    let (code, overflowed) = encodeWithSign(x, policy, index: index)
    guard hasMinusZero && (code == 0 || code == signBit) && !x.isNaN else {
      return (code, overflowed)
    }
    let isNegative: Bool =
      switch policy.zeroSign {
      case .kept: code == signBit
      case .positive: false
      case .keptUnlessZero: code == signBit && x != 0
      case .negativeForZero: code == signBit || x == 0
      }
    return (isNegative ? signBit : 0, overflowed)
  }

  private func encodeWithSign(
    _ x: Double, _ policy: ReferenceBlockPolicy, index: Int
  ) -> (code: UInt32, overflowed: Bool) {
    if x.isNaN {
      if policy.nonFinite == .nanToMax { return (UInt32(magnitudes.count - 1), false) }
      if policy.nonFinite == .nanToZero { return (0, false) }
      return (nanCode ?? (isInteger ? 0 : UInt32(magnitudes.count - 1)), false)
    }
    let negative = x.sign == .minus
    if negative && !isSigned && x != 0 {
      let becomesZero =
        x.isInfinite
        ? policy.replacesInfinity
        : magnitudes[0] == 0 && roundedRank(x.magnitude, negative, policy, index) == 0
      return (policy.overflowIsSpecial && !becomesZero ? nanCode ?? 0 : 0, false)
    }
    if x.isInfinite {
      let special = policy.overflowIsSpecial && !policy.replacesInfinity
      return (overflowCode(negative, special: special), false)
    }
    let rank = roundedRank(x.magnitude, negative, policy, index)
    if rank < magnitudes.count { return (signed(UInt32(rank), negative), false) }
    if negative && usesFullRange && rank == magnitudes.count { return (signBit, false) }
    let inward: Bool =
      switch policy.rounding {
      case .towardZero: true
      case .up: negative
      case .down: !negative
      default: false
      }
    return (overflowCode(negative, special: policy.overflowIsSpecial && !inward), true)
  }

  /// The position in the list of magnitudes, or `magnitudes.count` and above for an overflow.
  private func roundedRank(
    _ x: Double, _ negative: Bool, _ policy: ReferenceBlockPolicy, _ index: Int
  ) -> Int {
    if x < magnitudes[0] { return 0 }
    if x == beyond { return magnitudes.count }
    if x > beyond {
      // The least integer is what would follow; what rounds to it does not overflow.
      let next = beyond + magnitudes[1]
      guard negative && usesFullRange && x < next else { return magnitudes.count + 1 }
      let isOutward = isOutward(
        x, between: beyond, magnitudes.count, and: next, negative, policy, index)
      return magnitudes.count + (isOutward ? 1 : 0)
    }
    var (low, high) = (0, magnitudes.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if magnitudes[middle] <= x { low = middle } else { high = middle }
    }
    let below = magnitudes[low]
    let above = low + 1 < magnitudes.count ? magnitudes[low + 1] : beyond
    if x == below { return low }
    return low + (isOutward(x, between: below, low, and: above, negative, policy, index) ? 1 : 0)
  }

  /// Whether a magnitude between two neighbours, of which the lower has a rank, becomes the upper one.
  private func isOutward(
    _ x: Double, between below: Double, _ rank: Int, and above: Double, _ negative: Bool,
    _ policy: ReferenceBlockPolicy, _ index: Int
  ) -> Bool {
    let (left, right) = (x - below, above - x)
    switch policy.rounding {
    case .nearestEven: return left > right || (left == right && rank % 2 == 1)
    case .nearestAway: return left >= right
    case .nearestTowardZero: return left > right
    case .nearestUp: return left > right || (left == right && !negative)
    case .towardZero: return false
    case .up: return !negative
    case .down: return negative
    case .odd: return rank % 2 == 0
    case .stochastic(let random):
      let whole = Self.powerOfTwo(random.bitCount)
      let threshold = (left / (above - below) * whole).rounded(.down)
      return threshold + Double(random.bits(ofElement: UInt64(index))) >= whole
    }
  }

  /// The code of the value next to that of a code, nearer to zero.
  func codeTowardZero(_ code: UInt32) -> UInt32 {
    isInteger && code >= signBit ? (code == 2 * signBit - 1 ? 0 : code + 1) : code - 1
  }

  private func overflowCode(_ negative: Bool, special: Bool) -> UInt32 {
    if special {
      if let infinityCode { return signed(infinityCode, negative) }
      if let nanCode { return nanCode }
    }
    if negative && usesFullRange { return signBit }
    return signed(UInt32(magnitudes.count - 1), negative)
  }

  private func signed(_ rank: UInt32, _ negative: Bool) -> UInt32 {
    guard negative else { return rank }
    if isInteger { return rank == 0 ? 0 : 2 * signBit - rank }
    return rank == 0 && magnitudes[0] == 0 && !hasMinusZero ? 0 : rank + signBit
  }
}
