extension ElementFormat {
  /// The element formats with a name of their own, in the order of listings.
  public static let named: [ElementFormat] = [
    .fp32, .bf16, .fp16, .tf32, .e4m3fn, .e5m2, .e4m3, .e3m4, .e4m3fnuz, .e5m2fnuz, .e4m3b11fnuz,
    .hif8, .e2m3fn, .e3m2fn, .e2m1fn, .e1m2fn, .e8m0fnu, .ue4m3, .ue5m3,
    .ue5m3(greatest: .reservedTopExponent), .int8, .int4, .int2,
  ]

  /// Creates the element format that a text names.
  ///
  /// Besides the names in `named`: `binary{K}p{P}{s|u}{e|f}` for IEEE P3109, `mxint8`,
  /// `mxint8_full`, `mxint4`, `mxint2`, `nf4`, `fp4_bnb`, `dynamic8`, `iq4_nl`, `ue6m2`, `sm{m}` for
  /// sign-magnitude, `int{n}`, `int{n}_full` with the most negative integer, `uint{n}`, `e{n}m0fnu`,
  /// `float(e=..,m=..,bias=..,specials=none|ieee|fn|top|fnuz|p3109,signed=yes|no)`, and
  /// `table(values=(..,..))` for a table of FP32 numbers.
  public init(parsing text: String) throws(FormatNameError) {
    self = try ElementFormat.resolve(text)
  }

  private static func resolve(_ text: String) throws(FormatNameError) -> ElementFormat {
    let parsed = try FormatText(text)
    if parsed.name == "float" {
      return try floatingPoint(FormatArguments(name: parsed.name, values: parsed.values))
    }
    if parsed.name == "table" {
      return try table(FormatArguments(name: parsed.name, values: parsed.values))
    }
    guard let format = simple(name: parsed.name) else { throw .unknownName(parsed.name) }
    guard parsed.values.isEmpty else {
      throw .unknownParameter(parsed.values.keys.sorted()[0], of: parsed.name, known: [])
    }
    return format
  }

  /// The format that a name without parameters has.
  private static func simple(name: String) -> ElementFormat? {
    let further: [ElementFormat] = [
      .mxint8, .mxint8(range: .full), .mxint4, .mxint2, .nf4, .fp4BitsAndBytes, .dynamic8,
      .iq4_nl, .ue6m2,
    ]
    if let known = (named + further).first(where: { $0.name == name }) { return known }
    if let format = p3109(name: name) { return format }
    if name.hasSuffix("m0fnu"), let n = number(after: "e", in: String(name.dropLast(5))),
      (2...8).contains(n)
    {
      return .exponentOnly(bitCount: n)
    }
    if let m = number(after: "sm", in: name), (1...15).contains(m) {
      return .signMagnitude(magnitudeBitCount: m)
    }
    if let n = number(after: "int", in: name), (2...16).contains(n) {
      return .integer(name, bitCount: n)
    }
    if name.hasSuffix("_full"), let n = number(after: "int", in: String(name.dropLast(5))),
      (2...16).contains(n)
    {
      return .integer(name, bitCount: n, range: .full)
    }
    if let n = number(after: "uint", in: name), (1...16).contains(n) {
      return .unsignedInteger(bitCount: n)
    }
    return nil
  }

  /// The parameters of the `float(...)` family.
  static let floatParameters: [FormatParameter] = [
    "e", "m", "bias", "specials=ieee", "signed=yes",
  ]

  /// The `float(...)` family.
  static func floatingPoint(_ arguments: FormatArguments) throws(FormatNameError) -> ElementFormat {
    try arguments.requireKnown(floatParameters)
    let exponent = try arguments.integer("e", in: 1...11)
    let isSigned = try arguments.choice("signed", default: true, ["yes": true, "no": false])
    let significand = try arguments.integer("m", in: 0...(16 - exponent - (isSigned ? 1 : 0)))
    let specials = try arguments.choice(
      "specials", default: SpecialCodes.ieee,
      KeyValuePairs(
        dictionaryLiteral: ("none", .allFinite), ("ieee", .ieee), ("fn", .nanAtAllOnes),
        ("top", .nanInTopExponent),
        ("fnuz", .nanAtNegativeZero), ("p3109", .p3109Extended)))
    if specials == .ieee && significand == 0 {
      throw .badValue("ieee", of: "specials", expected: "another choice when m=0: no code is NaN")
    }
    if specials == .nanAtNegativeZero && !isSigned {
      throw .badValue("fnuz", of: "specials", expected: "a signed format")
    }
    let usualBias = (1 << (exponent - 1)) - 1
    let bias = try arguments.integer("bias", default: usualBias, in: -512...1022)
    let (lowest, highest) = (
      -bias - significand, (1 << exponent) - (specials.reserveTopExponent ? 2 : 1) - bias
    )
    guard lowest >= -1074, highest <= 1023 else {
      throw .badValue("\(bias)", of: "bias", expected: "values that are exact in Double")
    }
    guard exponent + significand > 1 || specials == .allFinite || specials == .nanAtNegativeZero
    else {
      throw .badValue(specials.id, of: "specials", expected: "none or fnuz when e=1,m=0")
    }
    return .floatingPoint(
      exponent: exponent, significand: significand, bias: bias, specials: specials,
      signedness: isSigned ? .signed : .unsigned)
  }

  private static func p3109(name: String) -> ElementFormat? {
    let pattern = /binary(\d{1,2})p(\d{1,2})([su])([ef])/
    guard let match = name.wholeMatch(of: pattern), let width = Int(match.1),
      let precision = Int(match.2)
    else { return nil }
    let isSigned = match.3 == "s"
    let exponentBits = width - precision + (isSigned ? 0 : 1)
    guard (3...16).contains(width), precision >= 1, precision <= (isSigned ? width - 1 : width),
      exponentBits <= 11
    else { return nil }
    return .p3109(
      width: width, precision: precision, signedness: isSigned ? .signed : .unsigned,
      domain: match.4 == "e" ? .extended : .finite)
  }

  private static func number(after prefix: String, in name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    let digits = name.dropFirst(prefix.count)
    guard digits.first != "0", digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(digits)
  }
}

extension ElementFormat.SpecialCodes {
  /// The name in the `float(...)` family.
  var id: String {
    switch self {
    case .allFinite: "none"
    case .ieee: "ieee"
    case .nanAtAllOnes: "fn"
    case .nanInTopExponent: "top"
    case .nanAtNegativeZero: "fnuz"
    case .p3109Extended: "p3109"
    }
  }
}
