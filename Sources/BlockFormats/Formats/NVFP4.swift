/// NVFP4: E2M1 elements, an E4M3 scale for each block and an FP32 scale for the tensor.
///
/// The block scale is a byte of E4M3FN whose sign bit is never set, as every producer stores it.
///
/// Sources: arXiv 2509.25149 and TransformerEngine (arithmetic, 2-D blocks); arXiv 2512.02010
/// (four over six).
extension BlockFormat where Self == TwoLevelFormat {
  /// NVFP4 with blocks of 16 along the block axis.
  public static var nvfp4: Self { .nvfp4(block: .vector(length: 16)) }
  /// NVFP4 with 16x16 blocks, so that a matrix and its transpose have the same values.
  public static var nvfp4TwoDimensional: Self { .nvfp4(block: .tile(rows: 16, columns: 16)) }
  /// NVFP4 in which every block maps its largest magnitude to 6 or 4.
  public static var nvfp4FourOverSix: Self {
    .nvfp4(block: .vector(length: 16), scaleRule: .fourOverSix)
  }

  /// NVFP4 with a choice of block, scale format and default rule.
  ///
  /// - Parameters:
  ///   - block: the elements that share a block scale.
  ///   - scale: the block-scale format; `.ue5m3` gives the variant with a wider range.
  ///   - scaleRule: `.amax`, or `.fourOverSix` with E4M3 scales.
  public static func nvfp4(
    block: BlockShape, scale: ElementFormat = .e4m3fn, scaleRule: ScaleRule = .amax
  ) -> Self {
    let isUsualBlock = block == .vector(length: 16)
    let id =
      switch (scale, scaleRule) {
      case (.e4m3fn, .amax) where block == .tile(rows: 16, columns: 16): "nvfp4_2d"
      case (.e4m3fn, .amax): isUsualBlock ? "nvfp4" : "nvfp4(block=\(block.id))"
      case (.e4m3fn, _): isUsualBlock ? "nvfp4_4over6" : "nvfp4_4over6(block=\(block.id))"
      case (.ue5m3, _), (.ue5m3(greatest: .reservedTopExponent), _):
        isUsualBlock ? "nvfp4_\(scale)" : "nvfp4_\(scale)(block=\(block.id))"
      default: "scaled(element=e2m1fn,block=\(block.id),scale=\(scale),tensor_scale=yes)"
      }
    return TwoLevelFormat(
      id: id,
      source: scaleRule == .fourOverSix
        ? "arXiv 2512.02010" : scale == .e4m3fn ? "arXiv 2509.25149" : "arXiv 2609.02846",
      element: .e2m1fn, block: block, scale: scale, scaleRule: scaleRule)
  }
}

extension FormatFamily {
  static let nvfp4: [FormatFamily] = [
    variant("nvfp4", role: .standard) { .nvfp4(block: $0) },
    FormatFamily("nvfp4_2d", role: .standard) { _ in TwoLevelFormat.nvfp4TwoDimensional },
    variant("nvfp4_4over6", role: .standard) { .nvfp4(block: $0, scaleRule: .fourOverSix) },
    variant("nvfp4_ue5m3", role: .additional) { .nvfp4(block: $0, scale: .ue5m3) },
    variant("nvfp4_ue5m3_61440", role: .additional) {
      .nvfp4(block: $0, scale: .ue5m3(greatest: .reservedTopExponent))
    },
  ]

  private static func variant(
    _ name: String, role: Role, make: @escaping @Sendable (BlockShape) -> TwoLevelFormat
  ) -> FormatFamily {
    FormatFamily(name, parameters: ["block=16"], role: role) { arguments throws(FormatNameError) in
      make(try arguments.blockShape(default: .vector(length: 16)))
    }
  }
}
