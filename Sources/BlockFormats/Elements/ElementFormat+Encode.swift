extension ElementFormat {
  /// Encodes one value.
  ///
  /// The value is rounded to the format's precision with an unbounded exponent above and the
  /// exponent floor of the format below; overflow is judged on the rounded value.
  ///
  /// - Parameters:
  ///   - value: any value; the sign of a value that rounds to zero is kept where the format has
  ///     minus zero.
  ///   - rounding: how a value between two neighbours is rounded.
  ///   - overflow: what becomes of a rounded value above `greatestFiniteMagnitude`, and of ±∞.
  ///   - index: the element's row-major index, which only stochastic rounding uses.
  /// - Returns: the code. NaN gives `nanCode`; in a format without NaN it gives the code of
  ///   the largest value (as ONNX defines Cast to FLOAT4E2M1) or 0 for two's complement.
  ///   In an unsigned format a value that is negative after rounding gives the smallest code
  ///   under `.saturate` and NaN (if there is one) under `.special`.
  public func code(
    for value: Double,
    rounding: RoundingRule = .toNearestOrEven,
    overflow: OverflowRule = .saturate,
    index: UInt64 = 0
  ) -> UInt32 {
    var tally = EncodingTally()
    return ElementEncoder(self, rounding: rounding, overflow: overflow)
      .code(for: value, index: index, tally: &tally)
  }
}

/// What happened while elements were encoded, beyond the codes themselves.
public struct EncodingTally: Hashable, Sendable {
  /// The number of finite values that exceeded the largest finite value after rounding, or the
  /// largest one that their block's `CodeLimit` allows.
  public var saturatedCount = 0

  /// Creates an empty tally.
  public init() {}

  static func += (total: inout EncodingTally, part: EncodingTally) {
    total.saturatedCount += part.saturatedCount
  }
}

/// Encodes many values of one format under one policy: the reference definition of rounding.
///
/// Works on the bit pattern of a `Double` and rounds it once. Formats whose scales are powers of two
/// hand over the exact quotient; others one that FP32 has rounded.
struct ElementEncoder: Sendable {
  let format: ElementFormat
  let rounding: RoundingRule
  let overflow: OverflowRule
  let nonFinite: NonFiniteRule
  let zeroSign: ZeroSignRule
  /// Fraction bits of a code.
  private let fractionBits: Int
  /// The exponent of the first binade; below it the spacing stays constant.
  private let leastExponent: Int
  /// Subtracted from a code whose format has no subnormals, so that its first binade is code 0.
  private let codeOffset: Int64
  private let greatestCode: Int64
  /// The same below zero: one more in a two's-complement format that uses its full range.
  private let greatestNegativeCode: Int64
  private let signMask: UInt32
  private let hasNegativeZero: Bool
  private let widthMask: UInt32
  private let isTwosComplement: Bool
  private let table: ValueTable?

  init(
    _ format: ElementFormat, rounding: RoundingRule, overflow: OverflowRule,
    nonFinite: NonFiniteRule = .element, zeroSign: ZeroSignRule = .kept
  ) {
    self.format = format
    self.nonFinite = nonFinite
    self.zeroSign = format.hasNegativeZero ? zeroSign : .kept
    self.rounding = rounding
    self.overflow = overflow
    if case .table(let table) = format.encoding { self.table = table } else { table = nil }
    signMask = format.signMask
    widthMask = UInt32((UInt64(1) << UInt64(format.bitWidth)) - 1)
    greatestCode = Int64(format.greatestFiniteCode)
    greatestNegativeCode = Int64(format.greatestMagnitudeCode)
    hasNegativeZero = format.hasNegativeZero
    switch format.encoding {
    case .floatingPoint(let layout):
      isTwosComplement = false
      fractionBits = layout.significandBitCount
      let isGradual = layout.lowestBinade == .subnormal
      leastExponent = (isGradual ? 1 : 0) - layout.exponentBias
      codeOffset = isGradual ? 0 : Int64(1) << Int64(layout.significandBitCount)
    case .twosComplement(let layout):
      isTwosComplement = true
      fractionBits = layout.bitCount - 1
      leastExponent = layout.bitCount - 1 - layout.fractionBitCount
      codeOffset = 0
    case .table:
      isTwosComplement = false
      (fractionBits, leastExponent, codeOffset) = (0, 0, 0)
    }
  }

  /// The encoder of an element under a policy.
  init(_ format: ElementFormat, policy: EncodingPolicy) {
    self.init(
      format, rounding: policy.rounding, overflow: policy.overflow, nonFinite: policy.nonFinite,
      zeroSign: policy.zeroSign)
  }

  @inline(__always)
  func code(
    for value: Double, index: UInt64, limit: CodeLimit = .none, tally: inout EncodingTally
  ) -> UInt32 {
    if let table {
      let code = code(for: value, in: table, index: index, limit: limit, tally: &tally)
      return zeroSign == .kept ? code : withZeroSign(code, of: value, in: table)
    }
    let bits = value.bitPattern
    let isNegative = bits >> 63 != 0
    let magnitude = bits & 0x7FFF_FFFF_FFFF_FFFF
    guard magnitude < 0x7FF0_0000_0000_0000 else { return nonFiniteCode(value, limit) }
    guard magnitude != 0 else { return codeOfZero(isNegative: isNegative) }

    var exponent = Int(magnitude >> 52) - 1023
    var significand = magnitude & 0xF_FFFF_FFFF_FFFF | 1 << 52
    if magnitude < 1 << 52 {
      // Subnormal in Double: only formats of eleven exponent bits reach down here.
      let shift = magnitude.leadingZeroBitCount - 11
      exponent = -1022 - shift
      significand = magnitude << UInt64(shift)
    }
    let depth = max(0, leastExponent - exponent)
    // Significands have 53 bits: from 55 on, a longer shift gives the same quotient, and a
    // remainder on the same side of one half.
    let shift = UInt64(min(52 - fractionBits + depth, 55))
    let remainder = significand & ((1 << shift) - 1)
    var code =
      Int64(max(exponent, leastExponent) - leastExponent) << Int64(fractionBits)
      + Int64(significand >> shift) - codeOffset
    let isBelowRange = isNegative && signMask == 0
    // Only a format without zero gets below its first code; there the first code is nearest.
    guard code >= 0 else { return isBelowRange ? belowRangeCode() : 0 }
    if remainder != 0 {
      let half: UInt64 = 1 << (shift - 1)
      switch rounding {
      case .toNearestOrEven:
        if remainder > half || (remainder == half && code & 1 != 0) { code += 1 }
      case .toNearestOrAway: if remainder >= half { code += 1 }
      case .toNearestOrTowardZero: if remainder > half { code += 1 }
      case .toNearestOrUp:
        if remainder > half || (remainder == half && !isNegative) { code += 1 }
      case .towardZero: break
      case .up: if !isNegative { code += 1 }
      case .down: if isNegative { code += 1 }
      case .toOdd: code |= 1
      case .stochastic(let source):
        let fraction = StochasticSource.fraction(
          of: significand, droppingBits: 52 - fractionBits + depth, to: source.randomBitCount)
        if fraction + UInt64(source.randomBits(at: index)) >= 1 << UInt64(source.randomBitCount) {
          code += 1
        }
      }
    }
    if code == 0 && isNegative && zeroSign == .positive { return 0 }
    if isBelowRange { return code == 0 && codeOffset == 0 ? 0 : belowRangeCode() }
    guard code <= greatestCode(isNegative: isNegative, limit) else {
      tally.saturatedCount += 1
      return overflowCode(isNegative: isNegative, isFinite: true, limit)
    }
    return signed(UInt32(truncatingIfNeeded: code), isNegative: isNegative)
  }

  /// The code of a value in a table.
  @inline(never)
  private func code(
    for value: Double, in table: ValueTable, index: UInt64, limit: CodeLimit,
    tally: inout EncodingTally
  ) -> UInt32 {
    if value.isNaN {
      guard nonFinite == .nanToZero else {
        // Where NaN becomes the largest value, it counts as infinity.
        return (nonFinite == .nanToMax ? nil : format.nanCode)
          ?? table.code(for: .infinity, rounding: .towardZero, index: 0, limit: limit).code
      }
      return table.code(for: 0, rounding: .toNearestOrEven, index: 0, limit: limit).code
    }
    let result = table.code(for: value, rounding: rounding, index: index, limit: limit)
    guard result.saturates || value.isInfinite else { return result.code }
    if value.isFinite { tally.saturatedCount += 1 }
    guard overflow == .special, value.isFinite || !nonFinite.replacesInfinity,
      !(value.isFinite && pointsInward(isNegative: value < 0))
    else { return result.code }
    return table.code(of: value < 0 ? -.infinity : .infinity) ?? format.nanCode ?? result.code
  }

  /// The code of a value that is zero.
  @inline(__always)
  private func codeOfZero(isNegative: Bool) -> UInt32 {
    switch zeroSign {
    case .kept: signed(0, isNegative: isNegative)
    case .positive, .keptUnlessZero: 0
    case .negativeForZero: signed(0, isNegative: true)
    }
  }

  /// The code of the zero that the rule asks for, where a table has two.
  @inline(never)
  private func withZeroSign(_ code: UInt32, of value: Double, in table: ValueTable) -> UInt32 {
    guard format.value(of: code) == 0 else { return code }
    let isNegative =
      switch zeroSign {
      case .kept: value.sign == .minus
      case .positive: false
      case .keptUnlessZero: value < 0
      case .negativeForZero: value <= 0
      }
    return table.code(of: isNegative ? -0.0 : 0.0) ?? code
  }

  /// The code with a given sign; zero loses its sign where the format has one zero.
  @inline(__always)
  private func signed(_ magnitudeCode: UInt32, isNegative: Bool) -> UInt32 {
    guard isNegative, signMask != 0 else { return magnitudeCode }
    if isTwosComplement { return (0 &- magnitudeCode) & widthMask }
    if magnitudeCode == 0 && !hasNegativeZero { return 0 }
    return magnitudeCode | signMask
  }

  /// The magnitude code beyond which values of a sign overflow.
  @inline(__always)
  private func greatestCode(isNegative: Bool, _ limit: CodeLimit) -> Int64 {
    min(isNegative ? greatestNegativeCode : greatestCode, Int64(limit.magnitude))
  }

  /// The code of an overflowed finite value or of ±∞.
  @inline(never)
  private func overflowCode(isNegative: Bool, isFinite: Bool, _ limit: CodeLimit) -> UInt32 {
    let greatest = greatestCode(isNegative: isNegative, limit)
    let extreme = signed(UInt32(truncatingIfNeeded: greatest), isNegative: isNegative)
    guard overflow == .special, isFinite || !nonFinite.replacesInfinity else { return extreme }
    if isFinite && pointsInward(isNegative: isNegative) { return extreme }
    if let infinity = format.infinityCode { return signed(infinity, isNegative: isNegative) }
    return format.nanCode ?? extreme
  }

  /// Whether a directed rounding points back into the range, whose end it then gives, as in IEEE 754.
  private func pointsInward(isNegative: Bool) -> Bool {
    switch rounding {
    case .towardZero: true
    case .up: isNegative
    case .down: !isNegative
    case .toNearestOrEven, .toNearestOrAway, .toNearestOrTowardZero, .toNearestOrUp, .toOdd,
      .stochastic:
      false
    }
  }

  @inline(never)
  private func nonFiniteCode(_ value: Double, _ limit: CodeLimit) -> UInt32 {
    if value.isNaN {
      if nonFinite == .nanToMax { return overflowCode(isNegative: false, isFinite: false, limit) }
      if nonFinite == .nanToZero || isTwosComplement { return 0 }
      return format.nanCode ?? UInt32(greatestCode(isNegative: false, limit))
    }
    guard value > 0 || signMask != 0 else {
      return nonFinite.replacesInfinity ? 0 : belowRangeCode()
    }
    return overflowCode(isNegative: value < 0, isFinite: false, limit)
  }

  /// The code of a value that stays negative after rounding, in an unsigned format.
  private func belowRangeCode() -> UInt32 {
    overflow == .special ? format.nanCode ?? 0 : 0
  }
}
