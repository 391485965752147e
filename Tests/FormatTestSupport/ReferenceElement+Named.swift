/// What the published tables say about one format, typed in by hand.
public struct ReferenceFacts: Sendable {
  public var element: ReferenceElement
  public var bits: Int
  public var greatest: Double
  public var greatestCode: UInt32
  /// The smallest value with a full significand; `nil` for fixed point.
  public var leastNormal: Double?
  public var leastNonzero: Double
  public var infinityCode: UInt32?
  /// The canonical NaN: positive and quiet where there is a choice.
  public var nanCode: UInt32?
  /// The number of codes that decode to finite values, both zeros counted.
  public var finiteCount: Int
  public var hasNegativeZero: Bool
  /// floor(log2(greatest)).
  public var greatestExponent: Int
  /// Fraction bits behind the leading one in the highest binade.
  public var leadingFractionBits: Int

  init(
    _ element: ReferenceElement, bits: Int, greatest: Double, at greatestCode: UInt32,
    normal leastNormal: Double?, least leastNonzero: Double, infinity infinityCode: UInt32? = nil,
    nan nanCode: UInt32? = nil, finite finiteCount: Int, negativeZero hasNegativeZero: Bool,
    emax greatestExponent: Int, leading leadingFractionBits: Int
  ) {
    self.element = element
    self.bits = bits
    self.greatest = greatest
    self.greatestCode = greatestCode
    self.leastNormal = leastNormal
    self.leastNonzero = leastNonzero
    self.infinityCode = infinityCode
    self.nanCode = nanCode
    self.finiteCount = finiteCount
    self.hasNegativeZero = hasNegativeZero
    self.greatestExponent = greatestExponent
    self.leadingFractionBits = leadingFractionBits
  }
}

extension ReferenceFacts {
  /// Formats of 8 bits or fewer.
  ///
  /// Sources: OCP OFP8 v1.0 and MX v1.0, the README of ml_dtypes,
  /// the ONNX float8 page, the PTX ISA for the unsigned scales, microxcaling for MX integers.
  public static let narrow: [ReferenceFacts] = [
    // MARK: OFP8 and relatives
    ReferenceFacts(
      .init("e4m3fn", exponent: 4, fraction: 3, bias: 7, .allOnesNaN), bits: 8,
      greatest: 448, at: 0x7E, normal: 0x1p-6, least: 0x1p-9, nan: 0x7F, finite: 254,
      negativeZero: true, emax: 8, leading: 3),
    ReferenceFacts(
      .init("e5m2", exponent: 5, fraction: 2, bias: 15, .ieee), bits: 8,
      greatest: 57344, at: 0x7B, normal: 0x1p-14, least: 0x1p-16, infinity: 0x7C, nan: 0x7E,
      finite: 248, negativeZero: true, emax: 15, leading: 2),
    ReferenceFacts(
      .init("e4m3fnuz", exponent: 4, fraction: 3, bias: 8, .minusZeroNaN), bits: 8,
      greatest: 240, at: 0x7F, normal: 0x1p-7, least: 0x1p-10, nan: 0x80, finite: 255,
      negativeZero: false, emax: 7, leading: 3),
    ReferenceFacts(
      .init("e5m2fnuz", exponent: 5, fraction: 2, bias: 16, .minusZeroNaN), bits: 8,
      greatest: 57344, at: 0x7F, normal: 0x1p-15, least: 0x1p-17, nan: 0x80, finite: 255,
      negativeZero: false, emax: 15, leading: 2),
    ReferenceFacts(
      .init("e4m3b11fnuz", exponent: 4, fraction: 3, bias: 11, .minusZeroNaN), bits: 8,
      greatest: 30, at: 0x7F, normal: 0x1p-10, least: 0x1p-13, nan: 0x80, finite: 255,
      negativeZero: false, emax: 4, leading: 3),
    ReferenceFacts(
      .init("e4m3", exponent: 4, fraction: 3, bias: 7, .ieee), bits: 8,
      greatest: 240, at: 0x77, normal: 0x1p-6, least: 0x1p-9, infinity: 0x78, nan: 0x7C,
      finite: 240, negativeZero: true, emax: 7, leading: 3),
    ReferenceFacts(
      .init("e3m4", exponent: 3, fraction: 4, bias: 3, .ieee), bits: 8,
      greatest: 15.5, at: 0x6F, normal: 0.25, least: 0x1p-6, infinity: 0x70, nan: 0x78,
      finite: 224, negativeZero: true, emax: 3, leading: 4),

    // MARK: MX elements and scales
    ReferenceFacts(
      .init("e2m3fn", exponent: 2, fraction: 3, bias: 1, .allFinite), bits: 6,
      greatest: 7.5, at: 0x1F, normal: 1, least: 0.125, finite: 64, negativeZero: true, emax: 2,
      leading: 3),
    ReferenceFacts(
      .init("e3m2fn", exponent: 3, fraction: 2, bias: 3, .allFinite), bits: 6,
      greatest: 28, at: 0x1F, normal: 0.25, least: 0.0625, finite: 64, negativeZero: true, emax: 4,
      leading: 2),
    ReferenceFacts(
      .init("e2m1fn", exponent: 2, fraction: 1, bias: 1, .allFinite), bits: 4,
      greatest: 6, at: 0x7, normal: 1, least: 0.5, finite: 16, negativeZero: true, emax: 2,
      leading: 1),
    ReferenceFacts(
      .init("e1m2fn", exponent: 1, fraction: 2, bias: 1, .allFinite), bits: 4,
      greatest: 1.75, at: 0x7, normal: 1, least: 0.25, finite: 16, negativeZero: true, emax: 0,
      leading: 2),
    ReferenceFacts(
      .init(
        "e8m0fnu", .floatWithoutZero, signed: false, exponent: 8, fraction: 0, bias: 127,
        .allOnesNaN),
      bits: 8, greatest: 0x1p127, at: 0xFE, normal: 0x1p-127, least: 0x1p-127, nan: 0xFF,
      finite: 255, negativeZero: false, emax: 127, leading: 0),
    ReferenceFacts(
      .init("mxint8", integerBits: 8, fraction: 6), bits: 8, greatest: 1.984375, at: 0x7F,
      normal: nil, least: 0.015625, finite: 256, negativeZero: false, emax: 0, leading: 6),
    ReferenceFacts(
      .init("mxint8_full", integerBits: 8, fraction: 6, full: true), bits: 8,
      greatest: 1.984375, at: 0x7F, normal: nil, least: 0.015625, finite: 256,
      negativeZero: false, emax: 0, leading: 6),
    ReferenceFacts(
      .init("mxint4", integerBits: 4, fraction: 2), bits: 4, greatest: 1.75, at: 0x7,
      normal: nil, least: 0.25, finite: 16, negativeZero: false, emax: 0, leading: 2),
    ReferenceFacts(
      .init("mxint2", integerBits: 2, fraction: 0), bits: 2, greatest: 1, at: 0x1,
      normal: nil, least: 1, finite: 4, negativeZero: false, emax: 0, leading: 0),

    // MARK: Unsigned scales
    ReferenceFacts(
      .init("ue4m3", signed: false, exponent: 4, fraction: 3, bias: 7, .allOnesNaN), bits: 7,
      greatest: 448, at: 0x7E, normal: 0x1p-6, least: 0x1p-9, nan: 0x7F, finite: 127,
      negativeZero: false, emax: 8, leading: 3),
    ReferenceFacts(
      .init("ue5m3", signed: false, exponent: 5, fraction: 3, bias: 15, .allOnesNaN), bits: 8,
      greatest: 114688, at: 0xFE, normal: 0x1p-14, least: 0x1p-17, nan: 0xFF, finite: 255,
      negativeZero: false, emax: 16, leading: 3),
    ReferenceFacts(
      .init("ue5m3_61440", signed: false, exponent: 5, fraction: 3, bias: 15, .topExponentNaN),
      bits: 8, greatest: 61440, at: 0xF7, normal: 0x1p-14, least: 0x1p-17, nan: 0xFF, finite: 248,
      negativeZero: false, emax: 15, leading: 3),

    // MARK: Integers and fixed point
    ReferenceFacts(
      .init("int8", integerBits: 8, fraction: 0), bits: 8, greatest: 127, at: 0x7F, normal: nil,
      least: 1, finite: 256, negativeZero: false, emax: 6, leading: 6),
    ReferenceFacts(
      .init("int4", integerBits: 4, fraction: 0), bits: 4, greatest: 7, at: 0x7, normal: nil,
      least: 1, finite: 16, negativeZero: false, emax: 2, leading: 2),
    ReferenceFacts(
      .init("int2", integerBits: 2, fraction: 0), bits: 2, greatest: 1, at: 0x1, normal: nil,
      least: 1, finite: 4, negativeZero: false, emax: 0, leading: 0),
    ReferenceFacts(
      .init("sm2", exponent: 0, fraction: 2, bias: 0, .allFinite), bits: 3, greatest: 1.5,
      at: 0x3, normal: nil, least: 0.5, finite: 8, negativeZero: true, emax: 0, leading: 1),
    ReferenceFacts(
      .init("sm3", exponent: 0, fraction: 3, bias: 0, .allFinite), bits: 4, greatest: 1.75,
      at: 0x7, normal: nil, least: 0.25, finite: 16, negativeZero: true, emax: 0, leading: 2),
    ReferenceFacts(
      .init("sm7", exponent: 0, fraction: 7, bias: 0, .allFinite), bits: 8, greatest: 1.984375,
      at: 0x7F, normal: nil, least: 0.015625, finite: 256, negativeZero: true, emax: 0,
      leading: 6),
    ReferenceFacts(
      .init("uint4", signed: false, exponent: 0, fraction: 4, bias: -3, .allFinite), bits: 4,
      greatest: 15, at: 0xF, normal: nil, least: 1, finite: 16, negativeZero: false, emax: 3,
      leading: 3),
    ReferenceFacts(
      .init("uint6", signed: false, exponent: 0, fraction: 6, bias: -5, .allFinite), bits: 6,
      greatest: 63, at: 0x3F, normal: nil, least: 1, finite: 64, negativeZero: false, emax: 5,
      leading: 5),
  ]

  /// Formats of more than 8 bits.
  ///
  /// Source: IEEE 754-2019 and the vendors' definitions.
  public static let wide: [ReferenceFacts] = [
    ReferenceFacts(
      .init("fp16", exponent: 5, fraction: 10, bias: 15, .ieee), bits: 16, greatest: 65504,
      at: 0x7BFF, normal: 0x1p-14, least: 0x1p-24, infinity: 0x7C00, nan: 0x7E00, finite: 63488,
      negativeZero: true, emax: 15, leading: 10),
    ReferenceFacts(
      .init("bf16", exponent: 8, fraction: 7, bias: 127, .ieee), bits: 16, greatest: 0x1.FEp127,
      at: 0x7F7F, normal: 0x1p-126, least: 0x1p-133, infinity: 0x7F80, nan: 0x7FC0,
      finite: 65280, negativeZero: true, emax: 127, leading: 7),
    ReferenceFacts(
      .init("tf32", exponent: 8, fraction: 10, bias: 127, .ieee), bits: 19,
      greatest: 0x1.FFCp127, at: 0x3FBFF, normal: 0x1p-126, least: 0x1p-136, infinity: 0x3FC00,
      nan: 0x3FE00, finite: 522_240, negativeZero: true, emax: 127, leading: 10),
    ReferenceFacts(
      .init("fp32", exponent: 8, fraction: 23, bias: 127, .ieee), bits: 32,
      greatest: 0x1.FFFFFEp127, at: 0x7F7F_FFFF, normal: 0x1p-126, least: 0x1p-149,
      infinity: 0x7F80_0000, nan: 0x7FC0_0000, finite: 4_278_190_080, negativeZero: true,
      emax: 127, leading: 23),
  ]

  /// The formats of one name; traps if there is none.
  public static func named(_ name: String) -> ReferenceFacts {
    guard let facts = (narrow + wide).first(where: { $0.element.name == name }) else {
      preconditionFailure("no reference facts for \(name)")
    }
    return facts
  }
}
