import NumericSupport

extension ElementFormat {
  /// The values of NF4; code 0 is -1, 7 is 0, 15 is 1.
  ///
  /// Source: Dettmers et al., "QLoRA", NeurIPS 2023; bits and thresholds of bitsandbytes 0.50.
  public static let nf4 = bitsandbytes(
    "nf4",
    [
      0xBF80_0000, 0xBF32_39B1, 0xBF06_6B30, 0xBECA_32A0, 0xBE91_A24D, 0xBE3D_353F, 0xBDBA_7871,
      0x0000_0000, 0x3DA2_FAFF, 0x3E24_CAE3, 0x3E7C_04DD, 0x3EAD_033A, 0x3EE1_A4B8, 0x3F10_07AB,
      0x3F39_13B3, 0x3F80_0000,
    ])

  /// The values of bitsandbytes' FP4, which is not E2M1.
  ///
  /// They are twelfths of 0, 1/16, 8, 12, 4, 6, 2 and 3 in FP32, and from code 9 on their negatives.
  ///
  /// Codes 0 and 8 both are +0: values in (-0.0026, 0], -0 among them, get code 0, those in (0, 0.0026]
  /// code 8. The CUDA kernels of the same package take code 8 for small values below zero (read, not
  /// run), and decode it as -0.
  ///
  /// Source: bits and thresholds of bitsandbytes 0.50 on the CPU.
  public static let fp4BitsAndBytes = bitsandbytes(
    "fp4_bnb",
    [
      0x0000_0000, 0x3BAA_AAAB, 0x3F2A_AAAB, 0x3F80_0000, 0x3EAA_AAAB, 0x3F00_0000, 0x3E2A_AAAB,
      0x3E80_0000, 0x0000_0000, 0xBBAA_AAAB, 0xBF2A_AAAB, 0xBF80_0000, 0xBEAA_AAAB, 0xBF00_0000,
      0xBE2A_AAAB, 0xBE80_0000,
    ])

  /// A table of FP32 numbers with thresholds at the midpoints of neighbours in FP32, some of them rounded.
  private static func bitsandbytes(_ name: String, _ patterns: [UInt32]) -> ElementFormat {
    let values = patterns.map(Float.init(bitPattern:))
    let rising = values.sorted()
    let thresholds = zip(rising, rising.dropFirst()).map { Double(($0 + $1) / 2) }
    return ElementFormat(
      name: name, table: ValueTable(values.map(Double.init), thresholds: thresholds))
  }

  /// HiFloat8: eight bits whose exponent takes more bits the further it is from zero, with fewer left for
  /// the fraction.
  ///
  /// Behind the sign, a prefix says how many bits the exponent has: 11, 10, 01, 001 and 0001 for 4, 3, 2, 1
  /// and 0 of them; the exponent follows as a sign and the bits behind a leading one, and the rest is the
  /// fraction: 3 bits for exponents of -3...3, 2 up to 7 and 1 up to 15, and a hidden one. Prefix 0000 is
  /// 2^(M - 23), where M is the rest, and 0 where it is zero. There is one zero, NaN is 0x80; 0x6F and 0xEF,
  /// which would be ±49152, are ±∞. Values half way between neighbours are rounded away from zero, which
  /// is a rounding rule and the default one of the bare cast.
  ///
  /// No one width of exponent and fraction describes the format, so that it is a table of its values.
  /// Beyond 32768 the next value would be 49152, so that values overflow from 40960 on.
  ///
  /// Source: HiFloat8 (arXiv 2409.16626); codes and rounding of en-dtypes 0.0.4.
  public static let hif8 = ElementFormat(
    name: "hif8", table: ValueTable((0..<256).map(hiFloat8), beyond: 49152))

  /// The value of a code, by its fields.
  private static func hiFloat8(_ code: Int) -> Double {
    let sign: Double = code >= 128 ? -1 : 1
    let magnitude = code & 0x7F
    if code == 0x80 { return .nan }
    if magnitude == 0x6F { return sign * .infinity }
    /// A power of two times one and a fraction of some bits.
    func number(_ exponent: Int, _ fraction: Int, bits: Int) -> Double {
      let significand = 1 + Double.scaled(Double(fraction), byPowerOfTwo: -bits)
      return sign * Double.scaled(significand, byPowerOfTwo: exponent)
    }
    // The bits of the exponent: those behind the prefix, or none.
    let (exponentBits, prefixBits) =
      switch magnitude {
      case 0x60...: (4, 2)
      case 0x40...: (3, 2)
      case 0x20...: (2, 2)
      case 0x10...: (1, 3)
      case 0x08...: (0, 4)
      default: (-1, 4)
      }
    guard exponentBits >= 0 else {
      return magnitude == 0 ? 0 : sign * Double.scaled(1, byPowerOfTwo: magnitude - 23)
    }
    let fractionBits = 7 - prefixBits - exponentBits
    let fraction = magnitude & ((1 << fractionBits) - 1)
    guard exponentBits > 0 else { return number(0, fraction, bits: fractionBits) }
    let field = (magnitude >> fractionBits) & ((1 << exponentBits) - 1)
    let top = 1 << (exponentBits - 1)
    let exponent = top + (field & (top - 1))
    return number(field & top == 0 ? exponent : -exponent, fraction, bits: fractionBits)
  }
}

extension ElementFormat {
  /// The values of IQ4_NL, integers from -127 to 113; code 8 is 1, and none is 0.
  ///
  /// Source: ggml, `kvalues_iq4nl`.
  public static let iq4_nl = ElementFormat(
    name: "iq4_nl",
    table: ValueTable(
      [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]))
}
