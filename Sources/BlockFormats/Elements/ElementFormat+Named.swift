import CallerChecks
import NumericSupport

extension ElementFormat {
  // MARK: - OCP 8-bit floating point (OFP8 v1.0) and its relatives

  /// OFP8 E4M3: bias 7, largest 448, NaN at S.1111.111, no infinity.
  public static let e4m3fn = float("e4m3fn", exponent: 4, significand: 3, bias: 7, .nanAtAllOnes)
  /// OFP8 E5M2: bias 15, largest 57344, IEEE-like infinities and NaNs.
  public static let e5m2 = float("e5m2", exponent: 5, significand: 2, bias: 15, .ieee)
  /// E4M3 with bias 8, one zero and one NaN (0x80); largest 240.
  public static let e4m3fnuz = float(
    "e4m3fnuz", exponent: 4, significand: 3, bias: 8, .nanAtNegativeZero)
  /// E5M2 with bias 16, one zero and one NaN (0x80); largest 57344.
  public static let e5m2fnuz = float(
    "e5m2fnuz", exponent: 5, significand: 2, bias: 16, .nanAtNegativeZero)
  /// E4M3 with bias 11, one zero and one NaN (0x80); largest 30.
  public static let e4m3b11fnuz = float(
    "e4m3b11fnuz", exponent: 4, significand: 3, bias: 11, .nanAtNegativeZero)
  /// E4M3 with IEEE-like infinities; largest 240.
  public static let e4m3 = float("e4m3", exponent: 4, significand: 3, bias: 7, .ieee)
  /// E3M4 with IEEE-like infinities; largest 15.5.
  public static let e3m4 = float("e3m4", exponent: 3, significand: 4, bias: 3, .ieee)

  // MARK: - OCP Microscaling elements and scales (MX v1.0)

  /// MX FP6 E2M3: bias 1, largest 7.5, every code finite.
  public static let e2m3fn = float("e2m3fn", exponent: 2, significand: 3, bias: 1, .allFinite)
  /// MX FP6 E3M2: bias 3, largest 28, every code finite.
  public static let e3m2fn = float("e3m2fn", exponent: 3, significand: 2, bias: 3, .allFinite)
  /// MX FP4 E2M1: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
  public static let e2m1fn = float("e2m1fn", exponent: 2, significand: 1, bias: 1, .allFinite)
  /// FP4 E1M2: bias 1, multiples of 0.25 up to 1.75 with a sign, every code finite (Ascend).
  public static let e1m2fn = float("e1m2fn", exponent: 1, significand: 2, bias: 1, .allFinite)
  /// The MX scale: 2^(code - 127), NaN at 0xFF, no zero, no sign.
  public static let e8m0fnu = exponentOnly(bitCount: 8)
  /// MX INT8: q · 2^-6; -128 decodes to -2 and is produced only with the full range.
  public static let mxint8 = mxint8(range: .symmetric)
  /// MX-style INT4: q · 2^-2, largest 1.75 (microxcaling).
  public static let mxint4 = integer("mxint4", bitCount: 4, fractionBitCount: 2)
  /// MX-style INT2: -1, 0, 1 (microxcaling).
  public static let mxint2 = integer("mxint2", bitCount: 2, fractionBitCount: 0)

  /// MX INT8 with a choice of the range that the encoder uses.
  public static func mxint8(range: IntegerRange) -> ElementFormat {
    integer(
      range == .full ? "mxint8_full" : "mxint8", bitCount: 8, fractionBitCount: 6, range: range)
  }

  // MARK: - Unsigned scales

  /// E4M3FN without a sign: seven bits, largest 448, NaN 0x7F.
  ///
  /// The block scale of NVFP4 in PTX. Producers store it as a byte of E4M3FN with the sign bit zero,
  /// and so do the NVFP4 formats here.
  public static let ue4m3 = float(
    "ue4m3", exponent: 4, significand: 3, bias: 7, .nanAtAllOnes, .unsigned)
  /// UE5M3 as the `FN` rule implies it: NaN only at 0xFF, largest 114688.
  public static let ue5m3 = ue5m3(greatest: .oneNaN)

  /// The largest value of UE5M3, on which published sources disagree.
  public enum UE5M3Maximum: Hashable, Sendable {
    /// 114688 = 1.75 · 2^16, code 0xFE: only 0xFF is NaN.
    case oneNaN
    /// 61440 = 1.875 · 2^15, code 0xF7: the top exponent is reserved.
    case reservedTopExponent
  }

  /// UE5M3 (bias 15, smallest 2^-17) with a stated largest value.
  public static func ue5m3(greatest: UE5M3Maximum) -> ElementFormat {
    switch greatest {
    case .oneNaN:
      float("ue5m3", exponent: 5, significand: 3, bias: 15, .nanAtAllOnes, .unsigned)
    case .reservedTopExponent:
      float("ue5m3_61440", exponent: 5, significand: 3, bias: 15, .nanInTopExponent, .unsigned)
    }
  }

  /// The scale of HiFloat4: E6M2 without a sign, zero or subnormals, 2^-48...49152, NaN 0xFF.
  public static let ue6m2 = ElementFormat(
    name: "ue6m2",
    floatingPoint: FloatingPointLayout(
      signedness: .unsigned, exponentBitCount: 6, significandBitCount: 2, exponentBias: 48,
      specials: .nanAtAllOnes, lowestBinade: .normal))

  // MARK: - Wide formats

  /// bfloat16: the upper half of binary32.
  public static let bf16 = float("bf16", exponent: 8, significand: 7, bias: 127, .ieee)
  /// IEEE 754 binary16.
  public static let fp16 = float("fp16", exponent: 5, significand: 10, bias: 15, .ieee)
  /// TF32: binary32 with ten fraction bits, in 19-bit codes; subnormals are kept.
  public static let tf32 = float("tf32", exponent: 8, significand: 10, bias: 127, .ieee)
  /// IEEE 754 binary32.
  public static let fp32 = float("fp32", exponent: 8, significand: 23, bias: 127, .ieee)

  // MARK: - Integers

  /// Symmetric 8-bit integer, ±127.
  public static let int8 = integer("int8", bitCount: 8)
  /// Symmetric 4-bit integer, ±7.
  public static let int4 = integer("int4", bitCount: 4)
  /// Symmetric 2-bit integer, ±1.
  public static let int2 = integer("int2", bitCount: 2)

  // MARK: - Families

  /// An ExMy floating-point format.
  ///
  /// - Parameters:
  ///   - exponent: the width of the exponent field, 1...11.
  ///   - significand: the width of the fraction field.
  ///   - bias: the exponent bias; 2^(exponent - 1) - 1 if `nil`.
  ///   - specials: which codes are infinities and NaNs.
  ///   - signedness: whether there is a sign bit.
  public static func floatingPoint(
    exponent: Int, significand: Int, bias: Int? = nil, specials: SpecialCodes = .ieee,
    signedness: Signedness = .signed
  ) -> ElementFormat {
    require(exponent >= 1, "a float with \(exponent) exponent bits has no bias")
    let usualBias = (1 << (exponent - 1)) - 1
    var name = "float(e=\(exponent),m=\(significand)"
    if let bias, bias != usualBias { name += ",bias=\(bias)" }
    if specials != .ieee { name += ",specials=\(specials.id)" }
    if signedness == .unsigned { name += ",signed=no" }
    return float(
      name + ")", exponent: exponent, significand: significand, bias: bias ?? usualBias, specials,
      signedness)
  }

  /// Sign and m magnitude bits: ±M · 2^(1-m), the element of block floating point and BDR.
  public static func signMagnitude(magnitudeBitCount m: Int) -> ElementFormat {
    float("sm\(m)", exponent: 0, significand: m, bias: 0, .allFinite)
  }

  /// An unsigned integer, the scale of two-level integer scaling (VS-Quant).
  public static func unsignedInteger(bitCount: Int) -> ElementFormat {
    float(
      "uint\(bitCount)", exponent: 0, significand: bitCount, bias: 1 - bitCount, .allFinite,
      .unsigned)
  }

  /// A power-of-two scale of n bits: 2^(code - bias), bias 2^(n-1) - 1, NaN at all ones.
  public static func exponentOnly(bitCount n: Int) -> ElementFormat {
    ElementFormat(
      name: "e\(n)m0fnu",
      floatingPoint: FloatingPointLayout(
        signedness: .unsigned, exponentBitCount: n, significandBitCount: 0,
        exponentBias: (1 << (n - 1)) - 1, specials: .nanAtAllOnes, lowestBinade: .normal))
  }

  /// A microexponent of n bits: code τ stands for 2^-τ.
  ///
  /// - Precondition: 1...8 bits.
  public static func microexponent(bitCount n: Int) -> ElementFormat {
    require((1...8).contains(n), "\(n) sub-scale bits are outside 1...8")
    return microexponents[n - 1]
  }

  private static let microexponents = (1...8).map { n in
    ElementFormat(
      name: "\(n)-bit shift",
      table: ValueTable((0..<1 << n).map { Double.scaled(1, byPowerOfTwo: -$0) }))
  }

  /// A bit that doubles: 1 and 2.
  package static let doubling = ElementFormat(name: "1 bit", table: ValueTable([1, 2]))

  /// A symmetric two's-complement integer q · 2^(-fractionBitCount).
  public static func integer(
    _ name: String, bitCount: Int, fractionBitCount: Int = 0, range: IntegerRange = .symmetric
  ) -> ElementFormat {
    ElementFormat(
      name: name,
      twosComplement: FixedPointLayout(
        bitCount: bitCount, fractionBitCount: fractionBitCount, range: range))
  }

  private static func float(
    _ name: String, exponent: Int, significand: Int, bias: Int, _ specials: SpecialCodes,
    _ signedness: Signedness = .signed
  ) -> ElementFormat {
    ElementFormat(
      name: name,
      floatingPoint: FloatingPointLayout(
        signedness: signedness, exponentBitCount: exponent, significandBitCount: significand,
        exponentBias: bias, specials: specials, lowestBinade: .subnormal))
  }
}
