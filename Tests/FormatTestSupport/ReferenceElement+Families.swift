extension ReferenceElement {
  /// Every ExMy of at most 8 bits with every choice of specials that leaves a positive number.
  public static let smallFloats: [ReferenceElement] = {
    var result: [ReferenceElement] = []
    for isSigned in [true, false] {
      for exponent in 1...8 {
        let room = 8 - exponent - (isSigned ? 1 : 0)
        guard room >= 0 else { continue }
        for fraction in 0...room {
          for specials in Specials.allCases {
            let element = smallFloat(
              exponent: exponent, fraction: fraction, signed: isSigned, specials)
            if let element { result.append(element) }
          }
        }
      }
    }
    return result
  }()

  private static func smallFloat(
    exponent: Int, fraction: Int, signed isSigned: Bool, _ specials: Specials
  ) -> ReferenceElement? {
    // IEEE needs a fraction bit to tell NaN from infinity; minus zero needs a sign.
    if specials == .ieee && fraction == 0 || specials == .minusZeroNaN && !isSigned { return nil }
    var name = "float(e=\(exponent),m=\(fraction)"
    switch specials {
    case .ieee: break
    case .allFinite: name += ",specials=none"
    case .allOnesNaN: name += ",specials=fn"
    case .topExponentNaN: name += ",specials=top"
    case .minusZeroNaN: name += ",specials=fnuz"
    case .p3109Extended: name += ",specials=p3109"
    }
    let element = ReferenceElement(
      name + (isSigned ? ")" : ",signed=no)"), signed: isSigned, exponent: exponent,
      fraction: fraction, bias: (1 << (exponent - 1)) - 1, specials)
    let hasPositive = (0..<element.codeCount).contains {
      let value = element.value(of: $0)
      return value.isFinite && value > 0
    }
    return hasPositive ? element : nil
  }

  /// Biases far from the usual ones, down to where `Double` itself is subnormal.
  public static let oddBiases: [ReferenceElement] = [
    .init("float(e=4,m=3,bias=-3)", exponent: 4, fraction: 3, bias: -3, .ieee),
    .init("float(e=4,m=3,bias=20,specials=fn)", exponent: 4, fraction: 3, bias: 20, .allOnesNaN),
    .init("float(e=3,m=2,bias=-512)", exponent: 3, fraction: 2, bias: -512, .ieee),
    .init(
      "float(e=2,m=4,bias=1022,specials=none)", exponent: 2, fraction: 4, bias: 1022, .allFinite),
    .init("float(e=4,m=3,bias=154)", exponent: 4, fraction: 3, bias: 154, .ieee),
  ]

  /// Binary{K}p{P}{s|u}{e|f} of IEEE P3109; K is the width and P counts the hidden bit.
  public static func p3109(_ k: Int, _ p: Int, signed isSigned: Bool, extended: Bool)
    -> ReferenceElement
  {
    let specials: Specials = extended ? .p3109Extended : isSigned ? .minusZeroNaN : .allOnesNaN
    return ReferenceElement(
      "binary\(k)p\(p)" + (isSigned ? "s" : "u") + (extended ? "e" : "f"), signed: isSigned,
      exponent: isSigned ? k - p : k - p + 1, fraction: p - 1,
      bias: isSigned ? 1 << (k - p - 1) : 1 << (k - p), specials)
  }

  /// All 120 formats of P3109 with 3 to 8 bits.
  public static let p3109Family: [ReferenceElement] = (3...8).flatMap { k in
    (1...k).flatMap { p in
      [true, false].flatMap { isSigned in
        [true, false].compactMap { extended in
          isSigned && p == k ? nil : p3109(k, p, signed: isSigned, extended: extended)
        }
      }
    }
  }

  /// One row of the property table of the P3109 report.
  public struct P3109Row: Sendable {
    public var name: String
    public var bias: Int
    public var greatest: Double
    public var leastNormal: Double
    /// `nil` where precision 1 leaves no subnormals.
    public var leastSubnormal: Double?
    public var nanCode: UInt32
    public var infinityCode: UInt32?
  }

  /// From the tables of the IEEE P3109 Interim Report v4.0.
  public static let p3109Rows: [P3109Row] = {
    typealias Row = (String, Int, Double, Double, Double?, UInt32, UInt32?)
    let rows: [Row] = [
      ("binary8p1se", 64, 0x1p62, 0x1p-63, nil, 0x80, 0x7F),
      ("binary8p1sf", 64, 0x1p63, 0x1p-63, nil, 0x80, nil),
      ("binary8p1uf", 128, 0x1p126, 0x1p-127, nil, 0xFF, nil),
      ("binary8p2se", 32, 0x1p31, 0x1p-31, 0x1p-32, 0x80, 0x7F),
      ("binary8p2sf", 32, 1.5 * 0x1p31, 0x1p-31, 0x1p-32, 0x80, nil),
      ("binary8p3se", 16, 49152, 0x1p-15, 0x1p-17, 0x80, 0x7F),
      ("binary8p3sf", 16, 57344, 0x1p-15, 0x1p-17, 0x80, nil),
      ("binary8p4se", 8, 224, 0x1p-7, 0x1p-10, 0x80, 0x7F),
      ("binary8p4sf", 8, 240, 0x1p-7, 0x1p-10, 0x80, nil),
      ("binary8p5se", 4, 15, 0x1p-3, 0x1p-7, 0x80, 0x7F),
      ("binary8p5sf", 4, 15.5, 0x1p-3, 0x1p-7, 0x80, nil),
      ("binary8p6se", 2, 3.875, 0.5, 0x1p-6, 0x80, 0x7F),
      ("binary8p6sf", 2, 3.9375, 0.5, 0x1p-6, 0x80, nil),
      ("binary8p7se", 1, 1.96875, 1, 0x1p-6, 0x80, 0x7F),
      ("binary8p7sf", 1, 1.984375, 1, 0x1p-6, 0x80, nil),
      ("binary8p4ue", 16, 53248, 0x1p-15, 0x1p-18, 0xFF, 0xFE),
      ("binary8p4uf", 16, 57344, 0x1p-15, 0x1p-18, 0xFF, nil),
      ("binary8p3ue", 32, 1.25 * 0x1p31, 0x1p-31, 0x1p-33, 0xFF, 0xFE),
      ("binary8p3uf", 32, 1.5 * 0x1p31, 0x1p-31, 0x1p-33, 0xFF, nil),
      ("binary6p3sf", 4, 14, 0x1p-3, 0x1p-5, 0x20, nil),
      ("binary6p4sf", 2, 3.75, 0.5, 0x1p-4, 0x20, nil),
      ("binary4p2sf", 2, 3, 0.5, 0.25, 0x8, nil),
    ]
    return rows.map {
      P3109Row(
        name: $0.0, bias: $0.1, greatest: $0.2, leastNormal: $0.3, leastSubnormal: $0.4,
        nanCode: $0.5, infinityCode: $0.6)
    }
  }()
}
