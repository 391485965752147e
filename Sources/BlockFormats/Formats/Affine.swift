/// Integers of 2 to 8 bits with a factor and an offset for each group, as MLX has them.
///
/// MLX stores factors and offsets in the type of the weights, FP32, BF16 or FP16, and knows groups of
/// 32, 64 and 128. It has no 7 bits; the arithmetic is the same.
extension BlockFormat where Self == AffineFormat {
  /// Four bits in groups of 64 with FP32 factors and offsets.
  public static var affine4: Self { .affine(bits: 4) }

  /// Affine groups.
  ///
  /// - Parameters:
  ///   - bits: bits of an element, 2...8.
  ///   - group: the elements that share a factor and an offset.
  ///   - scale: how both are stored: `.fp32`, `.bf16` or `.fp16`.
  public static func affine(
    bits: Int, group: Int = 64, scale: ElementFormat = .fp32
  ) -> Self {
    let parameters =
      (group == 64 ? [] : ["group=\(group)"]) + (scale == .fp32 ? [] : ["scale=\(scale)"])
    return AffineFormat(
      id: "affine\(bits)" + (parameters.isEmpty ? "" : "(\(parameters.joined(separator: ",")))"),
      source: "MLX, affine mode", bits: bits, group: group, scale: scale)
  }
}

extension FormatFamily {
  static let affine: [FormatFamily] = (2...8).map { bits in
    FormatFamily("affine\(bits)", parameters: ["group=64", "scale=fp32"]) {
      arguments throws(FormatNameError) in
      AffineFormat.affine(
        bits: bits,
        group: try arguments.integer("group", default: 64, in: BlockShape.extents),
        scale: try arguments.choice(
          "scale", default: .fp32, ["fp32": .fp32, "bf16": .bf16, "fp16": .fp16]))
    }
  }
}
