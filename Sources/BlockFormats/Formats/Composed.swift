/// Formats composed of an element, a block shape and a scale, in the grammar of format ids.
///
/// The scale format decides the arithmetic: FP32 scales are `ScaledFormat`, exponent-only scales
/// (`e8m0fnu`) `SharedExponentFormat`, all others `TwoLevelFormat` with or without an FP32 scale of
/// the tensor. In Swift, use those types directly.
extension FormatFamily {
  static let composed: [FormatFamily] = [
    FormatFamily(
      "scaled", parameters: ["element", "block", "scale", "tensor_scale=no"], role: .parametrised
    ) { arguments throws(FormatNameError) in
      let element = try arguments.element("element")
      let block = try arguments.blockShape()
      let scale = try arguments.element("scale")
      let hasTensorScale = try arguments.choice(
        "tensor_scale", default: false, ["no": false, "yes": true])
      let id =
        "scaled(element=\(element),block=\(block.id),scale=\(scale)"
        + (hasTensorScale ? ",tensor_scale=yes)" : ")")
      return try composed(
        element, block, scale, hasTensorScale: hasTensorScale, id: id,
        source: "composed by the user")
    }
  ]

  /// The format of an element, a block and a scale, or why there is none.
  static func composed(
    _ element: ElementFormat, _ block: BlockShape, _ scale: ElementFormat, hasTensorScale: Bool,
    id: String, source: String
  ) throws(FormatNameError) -> any BlockFormat {
    guard scale.bitWidth <= 16 || scale == .fp32 else {
      throw .badValue(scale.name, of: "scale", expected: "fp32 or a format of at most 16 bits")
    }
    let isOneLevel = scale == .fp32 || !scale.hasZero
    guard scale.hasZero || scale == .exponentOnly(bitCount: min(max(scale.bitWidth, 2), 8)) else {
      throw .badValue(scale.name, of: "scale", expected: "a format with zero, or exponents alone")
    }
    guard scale.codesRise else {
      throw .badValue(
        scale.name, of: "scale", expected: "a format whose codes rise with its values")
    }
    if hasTensorScale && isOneLevel {
      throw .badValue("yes", of: "tensor_scale", expected: "no with \(scale) scales")
    }
    if !hasTensorScale && !isOneLevel && scale.nanCode == nil {
      throw .badValue("no", of: "tensor_scale", expected: "yes: \(scale) has no NaN")
    }
    if scale == .fp32 {
      return ScaledFormat(id: id, source: source, element: element, block: block)
    }
    if !scale.hasZero {
      return SharedExponentFormat(
        id: id, source: source, element: element, block: block, scaleBitCount: scale.bitWidth)
    }
    return TwoLevelFormat(
      id: id, source: source, element: element, block: block, scale: scale,
      tensorScale: hasTensorScale ? .float32 : .absent)
  }
}
