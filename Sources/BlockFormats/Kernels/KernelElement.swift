internal import CBlockKernels

extension BKElement {
  /// The constants of an element under a policy; `nil` where kernels cannot express it.
  ///
  /// Every code that a policy gives to a value without a place is the reference encoder's own.
  ///
  /// - Parameters:
  ///   - format: the element format.
  ///   - encoder: the reference encoder of the policy.
  ///   - poison: the code of values in a block without a usable scale.
  ///   - scaling: how values are scaled before they are rounded.
  init?(_ format: ElementFormat, encoder: ElementEncoder, poison: UInt32, scaling: Scaling) {
    self.init()
    width = UInt32(format.bitWidth)
    greatest = format.greatestFiniteCode
    greatest_negative = greatest
    random_mask = ~0
    infinity_code = format.infinityCode ?? ~0
    has_negative_zero = format.hasNegativeZero && encoder.zeroSign == .kept
    is_unsigned = !format.isSigned
    is_scaling_exact = scaling == .byPowersOfTwo
    switch format.encoding {
    case .twosComplement(let layout): setInteger(layout)
    case .table(let table): guard setTable(table, encoder, scaling) else { return nil }
    case .floatingPoint(let layout):
      guard setFloat(layout, scaling: scaling) else { return nil }
    }
    switch encoder.rounding {
    case .toNearestOrEven: rounding = BK_NEAREST_EVEN
    case .toNearestOrAway: rounding = BK_NEAREST_AWAY
    case .toNearestOrTowardZero: rounding = BK_NEAREST_TOWARD_ZERO
    case .toNearestOrUp: rounding = BK_NEAREST_UP
    case .towardZero: rounding = BK_TOWARD_ZERO
    case .up: rounding = BK_UP
    case .down: rounding = BK_DOWN
    case .toOdd: rounding = BK_TO_ODD
    case .stochastic(let source):
      rounding = BK_STOCHASTIC
      random_mask = ~0 << UInt32(32 - source.randomBitCount)
    }
    func code(_ value: Double) -> UInt32 {
      var tally = EncodingTally()
      return encoder.code(for: value, index: 0, tally: &tally)
    }
    overflow = (code(.greatestFiniteMagnitude), code(-.greatestFiniteMagnitude))
    infinity = (code(.infinity), code(-.infinity))
    nan = code(.nan)
    self.poison = poison
    let extremes = (
      format.code(for: .greatestFiniteMagnitude), format.code(for: -.greatestFiniteMagnitude)
    )
    saturates = overflow == extremes && infinity == extremes
    has_special_codes = has_special_codes || format.nanCode != nil || format.infinityCode != nil
    setValues(format)
    guard isWithinReach else { return nil }
    let greatestMagnitude = format.magnitude(of: format.greatestMagnitudeCode)
    switch scaling {
    case .none: least_multiplier = 0
    case .byRounding: least_multiplier = Float(greatestMagnitude * 0x1p-127)
    case .byPowersOfTwo:
      // Scale rules stay within two binades of the largest value, so that products stay in FP32.
      guard greatestMagnitude < 0x1p125 else { return nil }
      least_multiplier = Float(greatestMagnitude * 0x1p-127)
    }
    switch kind {
    case BK_PATTERN:
      tame_limit = .infinity
      return
    case BK_TABLE: return
    default: break
    }
    // Four binades beyond the largest value: more than any scale rule reaches.
    let tameExponent = format.greatestExponent + 4
    if tameExponent + 23 - Int(fraction_bits) <= 120 {
      tame_limit = Float(sign: .plus, exponent: tameExponent, significand: 1)
    }
  }

  /// The element where a block's scale lets codes up to a limit decode to finite numbers, under a
  /// policy that saturates.
  func limited(to limit: CodeLimit, by encoder: ElementEncoder) -> BKElement {
    func extreme(_ value: Double) -> UInt32 {
      var tally = EncodingTally()
      return encoder.code(for: value, index: 0, limit: limit, tally: &tally)
    }
    var element = self
    if case .table(let table) = encoder.format.encoding {
      element.setSearch(table, encoder, limit)
      element.overflow = (extreme(.infinity), extreme(-.infinity))
      element.infinity = element.overflow
      element.nan = extreme(.nan)
      return element
    }
    element.greatest = min(greatest, limit.magnitude)
    element.greatest_negative = min(greatest_negative, limit.magnitude)
    element.overflow = (extreme(.infinity), extreme(-.infinity))
    element.infinity = element.overflow
    element.nan = extreme(.nan)
    return element
  }

  /// How values are scaled before they are rounded.
  enum Scaling {
    /// Not at all.
    case none
    /// By powers of two, exactly.
    case byPowersOfTwo
    /// By an FP32 multiplication that rounds.
    case byRounding
  }

  private mutating func setInteger(_ layout: ElementFormat.FixedPointLayout) {
    kind = BK_INTEGER
    fraction_bits = UInt32(layout.bitCount - 1)
    lowest_field = UInt32(max(0, 127 + layout.bitCount - 1 - layout.fractionBitCount))
    if layout.range == .full { greatest_negative += 1 }
    unit = Float(sign: .plus, exponent: -layout.fractionBitCount, significand: 1)
    setSpacing(exponent: -layout.fractionBitCount)
  }

  private mutating func setFloat(
    _ layout: ElementFormat.FloatingPointLayout, scaling: Scaling
  ) -> Bool {
    guard layout.lowestBinade == .subnormal else { return false }
    fraction_bits = UInt32(layout.significandBitCount)
    lowest_field = UInt32(clamping: 128 - layout.exponentBias)
    is_negative_zero_nan =
      layout.specials == .nanAtNegativeZero || (layout.specials == .p3109Extended && !is_unsigned)
    if layout.exponentBitCount == 8, layout.exponentBias == 127, layout.specials == .ieee,
      scaling == .none, !is_unsigned
    {
      kind = BK_PATTERN
      unit = 1
      return true
    }
    if layout.exponentBitCount == 0, is_unsigned, layout.exponentBias == 1 - Int(fraction_bits) {
      // An unsigned integer.
      kind = BK_INTEGER
      unit = 1
      setSpacing(exponent: 0)
      return true
    }
    guard layout.exponentBitCount <= 7, (0...127).contains(layout.exponentBias) else {
      return false
    }
    kind = BK_FLOAT
    if layout.exponentBitCount == 0 {
      setSpacing(exponent: 1 - layout.exponentBias - layout.significandBitCount)
    }
    unit = Float(sign: .plus, exponent: 127 - layout.exponentBias, significand: 1)
    return true
  }

  /// The format has the same spacing 2^exponent everywhere.
  private mutating func setSpacing(exponent: Int) {
    is_fixed_point = true
    spacings_of_one = Float(sign: .plus, exponent: -exponent, significand: 1)
  }

  /// Values of all codes up to four bits; of magnitudes, whatever the sign, up to six.
  mutating func setValues(_ format: ElementFormat) {
    let mask: UInt32
    switch format.bitWidth {
    case ...4: mask = UInt32(format.codeCount - 1)
    case 5...6: mask = format.magnitudeMask
    default: return
    }
    withUnsafeMutableBytes(of: &values) { bytes in
      let table = bytes.bindMemory(to: Float.self)
      for code in table.indices { table[code] = Float(format.value(of: UInt32(code) & mask)) }
    }
  }

  /// Whether sums with 2^23 spacings stay finite, values that vanish vanish from every word, and
  /// tame multipliers, which are below 2^96, stay finite when they count in spacings.
  private var isWithinReach: Bool {
    kind == BK_PATTERN || kind == BK_TABLE
      || (fraction_bits <= 22 && lowest_field >= fraction_bits + 62 && lowest_field <= 200
        && width <= 24 && (!is_fixed_point || spacings_of_one <= 0x1p31))
  }

  /// Whether kernels for codes of sixteen bits can encode tame values: they keep the sign of every
  /// zero, and codes of values a few binades beyond the largest must fit sixteen bits.
  var fitsHalfWords: Bool {
    width == 16 && kind != BK_INTEGER && saturates && has_negative_zero && fraction_bits <= 13
  }

  /// Whether codes take a byte at most.
  var isNarrow: Bool { width <= 8 }
}
