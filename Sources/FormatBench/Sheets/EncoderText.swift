import BlockFormats

/// The steps of an encoder in formulas, with the numbers of a format filled in.
enum EncoderText {
  private static let rounding = "every step is one FP32 operation; fl() rounds to FP32"

  /// One step a line; none for a conformance of its own.
  static func steps(of format: any BlockFormat) -> [String] {
    switch format {
    case is SharedExponentFormat: sharedExponent(format.layout)
    case let format as TwoLevelFormat: twoLevel(format)
    case is ScaledFormat: scaled(format.layout.element)
    case is CastFormat: ["code    = \(format.layout.element.name) of x, rounded", "decoded = q"]
    default: []
    }
  }

  private static func sharedExponent(_ layout: BlockLayout) -> [String] {
    let element = layout.element
    let scale = layout.scale ?? .e8m0fnu
    let (encode, decode) = layout.subscale == nil ? ("-e", "e") : ("(t - e)", "(e - t)")
    var steps = ["2^e     = the scale rule's power of two, clamped to the values of \(scale.name)"]
    if let subscale = layout.subscale {
      let most = (1 << subscale.bitWidth) - 1
      steps.append(
        "t       = min(max(e - e', 0), \(most)), e' by the same rule for each "
          + "\(subscale.length) elements; \(most) where they are 0")
    }
    return steps + [
      "code    = \(element.name) of x * 2^\(encode), rounded once",
      "decoded = q * 2^\(decode)",
      "amax 0 stores scale \(hex(0, scale)); a NaN block stores scale "
        + "\(hex(scale.nanCode ?? 0, scale)) and codes \(hex(element.nanCode ?? 0, element))",
    ]
  }

  private static func twoLevel(_ format: TwoLevelFormat) -> [String] {
    let (element, scale) = (format.layout.element, format.layout.scale ?? .e4m3fn)
    let rule = format.defaultPolicy.scaleRule
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    let top = ExactNumber.text(Double(format.greatestScale(under: rule)))
    let hasTensorScale = format.layout.tensorScale != .absent
    var steps = [rounding]
    steps +=
      hasTensorScale
      ? [
        "S       = min(fl(\(most) * \(top) / amax of the tensor), FLT_MAX); 1 where amax = 0",
        "stored tensor scale = min(fl(1 / S), FLT_MAX)",
      ] : ["S       = 1"]
    steps.append(
      "s       = \(scale.name), to nearest even and saturating, of "
        + "fl(amax of the block * fl(S * fl(1/\(most))))")
    if rule == .fourOverSix {
      let targets = format.targets(of: rule).map { "1/\(ExactNumber.text(Double($0)))" }
      steps.append(
        "          tried with \(targets.joined(separator: " and ")); "
          + "the smaller squared error wins, ties to the first")
    }
    return steps + [
      "r       = min(fl(1 / fl(s * min(fl(1 / S), FLT_MAX))), FLT_MAX)",
      "code    = \(element.name) of fl(x * r), rounded; all 0 where s = 0",
      hasTensorScale
        ? "decoded = fl(fl(q * s) * stored tensor scale)" : "decoded = fl(q * s)",
      "a NaN block stores "
        + (scale.nanCode.map { "scale \(hex($0, scale)) and codes 0" }
          ?? "codes 0 and makes the tensor scale NaN"),
    ]
  }

  private static func scaled(_ element: ElementFormat) -> [String] {
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    return [
      rounding,
      "S       = min(fl(\(most) / amax), FLT_MAX); 1 where amax = 0",
      "stored scale = min(fl(1 / S), FLT_MAX)",
      "code    = \(element.name) of fl(x * S), rounded",
      "decoded = fl(q * stored scale)",
      "a NaN block stores a NaN scale and codes \(hex(element.nanCode ?? 0, element))",
    ]
  }

  private static func hex(_ code: UInt32, _ format: ElementFormat) -> String {
    ExactNumber.hex(code, bitWidth: format.bitWidth)
  }
}
