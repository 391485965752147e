import CallerChecks

extension ElementFormat {
  /// Whether a P3109 format has infinities.
  public enum P3109Domain: String, Hashable, Sendable, CaseIterable {
    /// Every code but NaN is finite.
    case finite
    /// The format has infinities.
    case extended
  }

  /// A format of the IEEE P3109 family, named Binary{K}p{P}{s|u}{e|f}.
  ///
  /// Bias 2^(K-P-1) signed, 2^(K-P) unsigned; one zero, one NaN.
  ///
  /// - Parameters:
  ///   - width: K, the bits of a code, 3...16.
  ///   - precision: P, the significand bits with the hidden one: 1..<K signed, 1...K unsigned.
  ///   - signedness: whether there are negative values.
  ///   - domain: whether there are infinities.
  /// - Precondition: at most 11 exponent bits, so that every value is exact in `Double`; the
  ///   standard's wider exponents (K - P > 11) are not supported.
  ///
  /// Source: IEEE P3109 Interim Report v4.0 (26 June 2026).
  public static func p3109(
    width: Int, precision: Int, signedness: Signedness, domain: P3109Domain
  ) -> ElementFormat {
    let isSigned = signedness == .signed
    require(
      (3...16).contains(width) && precision >= 1 && precision <= (isSigned ? width - 1 : width),
      "P3109 width \(width) and precision \(precision) are not a \(signedness) format")
    let specials: SpecialCodes =
      switch (domain, signedness) {
      case (.extended, _): .p3109Extended
      case (.finite, .signed): .nanAtNegativeZero
      case (.finite, .unsigned): .nanAtAllOnes
      }
    let exponentBits = width - precision + (isSigned ? 0 : 1)
    return ElementFormat(
      name: "binary\(width)p\(precision)\(isSigned ? "s" : "u")\(domain == .extended ? "e" : "f")",
      floatingPoint: FloatingPointLayout(
        signedness: signedness,
        exponentBitCount: exponentBits, significandBitCount: precision - 1,
        exponentBias: isSigned ? 1 << (width - precision - 1) : 1 << (width - precision),
        specials: specials, lowestBinade: .subnormal))
  }
}
