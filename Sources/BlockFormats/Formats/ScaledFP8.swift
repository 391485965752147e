/// FP8 elements with FP32 scales: per tensor, per row, 1x128 and 128x128 blocks.
///
/// E4M3 is E4M3FN. `ScaleRule.amaxPowerOfTwo` restricts the scales to powers of two, the default
/// of block-scaling recipes.
///
/// Source: TransformerEngine's Float8CurrentScaling and Float8BlockScaling; DeepSeek-V3 (arXiv
/// 2412.19437) for the block shapes.
extension BlockFormat where Self == ScaledFormat {
  /// FP8 with a scale for each block.
  ///
  /// - Parameters:
  ///   - element: `.e4m3fn`, `.e5m2` or any other.
  ///   - block: the elements that share a scale.
  public static func fp8(_ element: ElementFormat, block: BlockShape) -> Self {
    let name = element == .e4m3fn ? "e4m3" : element.name
    let shape = if case .vector(let length) = block { "1x\(length)" } else { block.id }
    let isNamed =
      FormatFamily.fp8Elements.contains(element) && FormatFamily.fp8Blocks.contains(block)
    return ScaledFormat(
      id: isNamed ? "fp8_\(name)_\(shape)" : "fp8(element=\(element),block=\(block.id))",
      source: "TransformerEngine current and block scaling", element: element, block: block)
  }
}

extension FormatFamily {
  fileprivate static let fp8Elements: [ElementFormat] = [.e4m3fn, .e5m2]
  fileprivate static let fp8Blocks: [BlockShape] = [
    .tensor, .row, .vector(length: 128), .tile(rows: 128, columns: 128),
  ]

  static let scaledFP8: [FormatFamily] =
    fp8Elements.flatMap { element in
      fp8Blocks.map { block in
        let format = ScaledFormat.fp8(element, block: block)
        return FormatFamily(format.id, role: .standard) { _ in format }
      }
    } + [
      FormatFamily("fp8", parameters: ["element", "block"], role: .parametrised) {
        arguments throws(FormatNameError) in
        ScaledFormat.fp8(
          try arguments.element("element"), block: try arguments.blockShape())
      }
    ]
}
