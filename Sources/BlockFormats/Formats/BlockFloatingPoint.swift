/// Block floating point: sign-magnitude elements with one shared exponent, and MSFP12 to MSFP16.
///
/// MSFP(9+m) has m magnitude bits, blocks of 16 and an 8-bit exponent.
///
/// Source: Rouhani et al., "Pushing the limits of narrow precision inferencing at cloud scale with
/// Microsoft floating point", NeurIPS 2020; arXiv 2302.08007.
extension BlockFormat where Self == SharedExponentFormat {
  /// MSFP12: 3 magnitude bits.
  public static var msfp12: Self { .blockFloatingPoint(m: 3) }
  /// MSFP16: 7 magnitude bits.
  public static var msfp16: Self { .blockFloatingPoint(m: 7) }

  /// Block floating point.
  ///
  /// - Parameters:
  ///   - m: magnitude bits of an element, 1...15.
  ///   - block: the block length.
  ///   - exponentBitCount: bits of the shared exponent, 2...8.
  public static func blockFloatingPoint(
    m: Int, block: Int = 16, exponentBitCount: Int = 8
  ) -> Self {
    let isNamed = (3...7).contains(m) && block == 16 && exponentBitCount == 8
    return SharedExponentFormat(
      id: isNamed ? "msfp\(9 + m)" : "bfp(m=\(m),block=\(block),d1=\(exponentBitCount))",
      source: "MSFP (NeurIPS 2020), arXiv 2302.08007",
      element: .signMagnitude(magnitudeBitCount: m), block: .vector(length: block),
      scaleBitCount: exponentBitCount)
  }
}

extension FormatFamily {
  static let blockFloatingPoint: [FormatFamily] =
    (3...7).map { m in
      FormatFamily("msfp\(9 + m)", role: m == 3 || m == 7 ? .standard : .additional) { _ in
        SharedExponentFormat.blockFloatingPoint(m: m)
      }
    } + [
      FormatFamily("bfp", parameters: ["m", "block=16", "d1=8"], role: .parametrised) {
        arguments throws(FormatNameError) in
        SharedExponentFormat.blockFloatingPoint(
          m: try arguments.integer("m", in: 1...15), block: try arguments.block(default: 16),
          exponentBitCount: try arguments.integer("d1", default: 8, in: 2...8))
      }
    ]
}
