/// OCP Microscaling formats: blocks of 32 elements with a power-of-two E8M0 scale.
///
/// MXFP8, MXFP6, MXFP4 and MXINT8 are those of the specification; MXINT4 and MXINT2 are
/// microxcaling's, MXFP4 with E1M2 elements is Ascend's. Any element and any block length make further
/// ones.
///
/// `mxfp4_oas` is MXFP4 in blocks of 16 under the scale rule `oas`.
///
/// Sources: OCP Microscaling Formats (MX) Specification v1.0, section 5; arXiv 2603.08713 for `mxfp4_oas`.
extension BlockFormat where Self == SharedExponentFormat {
  /// MXFP8 with E4M3 elements.
  public static var mxfp8E4M3: Self { .mx(element: .e4m3fn) }
  /// MXFP8 with E5M2 elements.
  public static var mxfp8E5M2: Self { .mx(element: .e5m2) }
  /// MXFP6 with E2M3 elements.
  public static var mxfp6E2M3: Self { .mx(element: .e2m3fn) }
  /// MXFP6 with E3M2 elements.
  public static var mxfp6E3M2: Self { .mx(element: .e3m2fn) }
  /// MXFP4: E2M1 elements.
  public static var mxfp4: Self { .mx(element: .e2m1fn) }
  /// MXFP4 with E1M2 elements: a uniform grid up to 1.75.
  public static var mxfp4E1M2: Self { .mx(element: .e1m2fn) }
  /// MXFP4 in blocks of 16 whose scales let the largest magnitude saturate where that gives the others a
  /// bit: `PowerOfTwoRule.overflowAware`.
  public static var mxfp4OverflowAware: Self { .mxfp4OverflowAware(block: 16) }
  /// MXINT8, clipped to ±127.
  public static var mxint8: Self { .mx(element: .mxint8) }

  /// Elements with one E8M0 scale for each block.
  ///
  /// - Parameters:
  ///   - element: any element format with NaN handled by the scale.
  ///   - block: the block length.
  public static func mx(element: ElementFormat, block: Int = 32) -> Self {
    let alias = SharedExponentFormat.mxNames.first { $0.value == element }?.key
    let id =
      switch (alias, block) {
      case (let name?, 32): name
      case (let name?, _): "\(name)(block=\(block))"
      case (nil, _): "mx(element=\(element),block=\(block))"
      }
    return SharedExponentFormat(
      id: id, source: "OCP Microscaling Formats v1.0", element: element,
      block: .vector(length: block))
  }

  /// MXFP4 whose default scale rule is `oas`.
  ///
  /// - Parameter block: the block length.
  public static func mxfp4OverflowAware(block: Int) -> Self {
    SharedExponentFormat(
      id: block == 16 ? "mxfp4_oas" : "mxfp4_oas(block=\(block))", source: "arXiv 2603.08713",
      element: .e2m1fn, block: .vector(length: block)
    ).with { $0.scaleRule = .powerOfTwo(.overflowAware) }
  }
}

extension SharedExponentFormat {
  /// The named MX formats.
  fileprivate static let mxNames: KeyValuePairs<String, ElementFormat> = [
    "mxfp8_e4m3": .e4m3fn, "mxfp8_e5m2": .e5m2, "mxfp6_e2m3": .e2m3fn, "mxfp6_e3m2": .e3m2fn,
    "mxfp4": .e2m1fn, "mxfp4_e1m2": .e1m2fn, "mxint8": .mxint8,
    "mxint8_full": .mxint8(range: .full),
    "mxint4": .mxint4, "mxint2": .mxint2,
  ]
}

extension FormatFamily {
  static let mx: [FormatFamily] =
    SharedExponentFormat.mxNames.map { name, element in
      let role: Role =
        ["mxfp4_e1m2", "mxint8_full", "mxint4", "mxint2"].contains(name) ? .additional : .standard
      return FormatFamily(name, parameters: ["block=32"], role: role) {
        arguments throws(FormatNameError) in
        SharedExponentFormat.mx(element: element, block: try arguments.block(default: 32))
      }
    } + [
      FormatFamily("mxfp4_oas", parameters: ["block=16"]) { arguments throws(FormatNameError) in
        SharedExponentFormat.mxfp4OverflowAware(block: try arguments.block(default: 16))
      },
      FormatFamily("mx", parameters: ["element", "block=32"], role: .parametrised) {
        arguments throws(FormatNameError) in
        SharedExponentFormat.mx(
          element: try arguments.element("element"), block: try arguments.block(default: 32))
      },
    ]
}
