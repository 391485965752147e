import CallerChecks

extension ElementFormat {
  /// The width of a code in bits.
  public var bitWidth: Int {
    switch encoding {
    case .floatingPoint(let layout):
      (isSigned ? 1 : 0) + layout.exponentBitCount + layout.significandBitCount
    case .twosComplement(let layout): layout.bitCount
    case .table(let table): table.bitWidth
    }
  }

  /// Whether negative values exist.
  public var isSigned: Bool {
    switch encoding {
    case .floatingPoint(let layout): layout.signedness == .signed
    case .twosComplement: true
    case .table(let table): table.values.contains { $0.sign == .minus && !$0.isNaN }
    }
  }

  /// The number of codes, 2^bitWidth.
  public var codeCount: Int { 1 << bitWidth }

  /// The bits of a code that hold its magnitude: all but the sign.
  ///
  /// Codes of tables have no such bits.
  var magnitudeMask: UInt32 {
    UInt32((UInt64(1) << UInt64(bitWidth - (isSigned ? 1 : 0))) - 1)
  }

  /// The sign bit of a code, 0 for an unsigned format.
  var signMask: UInt32 { isSigned ? UInt32(1) << UInt32(bitWidth - 1) : 0 }

  /// The code of the largest finite value.
  public var greatestFiniteCode: UInt32 {
    switch encoding {
    case .twosComplement: return magnitudeMask
    case .table(let table): return table.greatestCode
    case .floatingPoint(let layout):
      let topExponent =
        ((UInt32(1) << UInt32(layout.exponentBitCount)) - 1) << UInt32(layout.significandBitCount)
      switch layout.specials {
      case .allFinite, .nanAtNegativeZero: return magnitudeMask
      case .ieee, .nanInTopExponent: return topExponent - 1
      case .nanAtAllOnes: return magnitudeMask - 1
      case .p3109Extended: return magnitudeMask - (isSigned ? 1 : 2)
      }
    }
  }

  /// The code of positive infinity, if there is one.
  public var infinityCode: UInt32? {
    if case .table(let table) = encoding { return table.code(of: .infinity) }
    guard case .floatingPoint(let layout) = encoding else { return nil }
    switch layout.specials {
    case .ieee, .p3109Extended: return greatestFiniteCode + 1
    case .allFinite, .nanAtAllOnes, .nanInTopExponent, .nanAtNegativeZero: return nil
    }
  }

  /// The code of the canonical NaN, if there is a NaN: positive and quiet where there is a choice.
  public var nanCode: UInt32? {
    if case .table(let table) = encoding { return table.code(of: .nan) }
    guard case .floatingPoint(let layout) = encoding else { return nil }
    switch layout.specials {
    case .allFinite: return nil
    case .ieee:
      return greatestFiniteCode + 1 + (UInt32(1) << UInt32(layout.significandBitCount - 1))
    case .nanAtAllOnes, .nanInTopExponent: return magnitudeMask
    case .nanAtNegativeZero: return signMask
    case .p3109Extended: return isSigned ? signMask : magnitudeMask
    }
  }

  /// Whether minus zero has a code of its own.
  public var hasNegativeZero: Bool {
    if case .table(let table) = encoding { return table.code(of: -0.0) != nil }
    guard case .floatingPoint(let layout) = encoding, isSigned, hasZero else { return false }
    switch layout.specials {
    case .allFinite, .ieee, .nanAtAllOnes, .nanInTopExponent: return true
    case .nanAtNegativeZero, .p3109Extended: return false
    }
  }

  /// Whether zero has a code.
  public var hasZero: Bool {
    switch encoding {
    case .twosComplement: true
    case .floatingPoint(let layout): layout.lowestBinade == .subnormal
    case .table(let table): table.magnitudes[0] == 0
    }
  }

  /// The largest finite value.
  public var greatestFiniteMagnitude: Double { value(of: greatestFiniteCode) }

  /// The smallest value above zero.
  public var leastNonzeroMagnitude: Double { value(of: leastPositiveCode) }

  /// The code of the smallest value above zero.
  public var leastPositiveCode: UInt32 {
    guard case .table(let table) = encoding else { return hasZero ? 1 : 0 }
    return table.ascending.first { table.values[Int($0)] > 0 } ?? table.greatestCode
  }

  /// The smallest value above zero with a full significand; `nil` where there is none.
  public var leastNormalMagnitude: Double? {
    guard case .floatingPoint(let layout) = encoding, layout.exponentBitCount > 0 else {
      return nil
    }
    guard layout.lowestBinade == .subnormal else { return leastNonzeroMagnitude }
    let code = UInt32(1) << UInt32(layout.significandBitCount)
    return code <= greatestFiniteCode ? value(of: code) : nil
  }

  /// floor(log2(greatestFiniteMagnitude)), written `emax` in the OCP MX specification.
  public var greatestExponent: Int { Int(greatestFiniteMagnitude.exponent) }

  /// The number of fraction bits behind the leading one in the highest binade.
  ///
  /// This is the stored fraction width for a floating-point format and the position of the leading
  /// magnitude bit for fixed point (6 for MX INT8); of a table, the bits that its largest value uses.
  public var leadingFractionBitCount: Int {
    switch encoding {
    case .twosComplement(let layout): layout.bitCount - 2
    case .floatingPoint(let layout):
      layout.exponentBitCount == 0 ? layout.significandBitCount - 1 : layout.significandBitCount
    case .table: greatestFiniteMagnitude.significandWidth
    }
  }

  /// Whether code 0 is zero or the smallest value and, without a sign, codes rise with their values.
  var codesRise: Bool {
    guard case .table(let table) = encoding else { return true }
    return table.values[0] == 0
      && zip(table.values, table.values.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// Every code with its value, in the order of codes.
  ///
  /// - Precondition: at most 16 bits.
  public var valueTable: [Double] {
    require(bitWidth <= 16, "\(name) has 2^\(bitWidth) codes: too many for a table")
    return (0..<UInt32(codeCount)).map { value(of: $0) }
  }
}

extension ElementFormat.SpecialCodes {
  /// Whether no code of the top exponent field is finite.
  var reserveTopExponent: Bool {
    switch self {
    case .ieee, .nanInTopExponent: true
    case .allFinite, .nanAtAllOnes, .nanAtNegativeZero, .p3109Extended: false
    }
  }
}
