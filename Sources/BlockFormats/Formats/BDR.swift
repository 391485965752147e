/// Block data representations with shared microexponents: MX9, MX6 and MX4.
///
/// Not to be confused with OCP MX: sign-magnitude elements of m magnitude bits, a d1-bit exponent
/// for each block of k1, and a d2-bit microexponent for each sub-block of k2 that lowers it.
/// The paper leaves the rounding open; the default is to nearest, ties to even, saturating at
/// 2^m - 1. `RoundingRule.towardZero` gives the truncating variant.
///
/// Source: Rouhani et al., "With shared microexponents, a little shifting goes a long way",
/// ISCA 2023 (arXiv 2302.08007).
extension BlockFormat where Self == SharedExponentFormat {
  /// BDR MX9: 9 bits an element.
  public static var mx9: Self { .bdr(m: 7, k1: 16, k2: 2, d1: 8, d2: 1) }
  /// BDR MX6: 6 bits an element.
  public static var mx6: Self { .bdr(m: 4, k1: 16, k2: 2, d1: 8, d2: 1) }
  /// BDR MX4: 4 bits an element.
  public static var mx4: Self { .bdr(m: 2, k1: 16, k2: 2, d1: 8, d2: 1) }

  /// A two-level block data representation, in the letters of the paper.
  ///
  /// - Parameters:
  ///   - m: magnitude bits of an element, 1...15.
  ///   - k1: elements that share the exponent.
  ///   - k2: elements that share a microexponent; divides k1.
  ///   - d1: bits of the exponent, 2...8.
  ///   - d2: bits of a microexponent, 1...8.
  public static func bdr(m: Int, k1: Int, k2: Int, d1: Int, d2: Int) -> Self {
    let named = [7: "mx9", 4: "mx6", 2: "mx4"]
    let isNamed = k1 == 16 && k2 == 2 && d1 == 8 && d2 == 1
    return SharedExponentFormat(
      id: (isNamed ? named[m] : nil) ?? "bdr(m=\(m),k1=\(k1),k2=\(k2),d1=\(d1),d2=\(d2))",
      source: "arXiv 2302.08007 (ISCA 2023)", element: .signMagnitude(magnitudeBitCount: m),
      block: .vector(length: k1), scaleBitCount: d1,
      microexponents: .init(bitCount: d2, length: k2))
  }
}

extension FormatFamily {
  static let bdr: [FormatFamily] = [
    FormatFamily("mx9", role: .standard) { _ in SharedExponentFormat.mx9 },
    FormatFamily("mx6", role: .standard) { _ in SharedExponentFormat.mx6 },
    FormatFamily("mx4", role: .standard) { _ in SharedExponentFormat.mx4 },
    FormatFamily("bdr", parameters: ["m", "k1=16", "k2=2", "d1=8", "d2=1"], role: .parametrised) {
      arguments throws(FormatNameError) in
      let k1 = try arguments.integer("k1", default: 16, in: BlockShape.extents)
      let k2 = try arguments.integer("k2", default: 2, in: 1...k1)
      guard k1 % k2 == 0 else {
        throw .badValue("\(k2)", of: "k2", expected: "a divisor of k1=\(k1)")
      }
      return SharedExponentFormat.bdr(
        m: try arguments.integer("m", in: 1...15), k1: k1, k2: k2,
        d1: try arguments.integer("d1", default: 8, in: 2...8),
        d2: try arguments.integer("d2", default: 1, in: 1...8))
    },
  ]
}
