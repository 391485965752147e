/// NVFP4's two levels of scales with other elements: NVINT4 and NVFP6.
///
/// The arithmetic is NVFP4's with the largest element in the place of 6: 7 for INT4, which never is -8, and
/// 7.5 for E2M3. fouroversix multiplies in another order, fl(fl(amax / E) · S) where this library has
/// fl(amax · fl(S · fl(1 / E))), so that block scales near ties may differ.
///
/// Sources: fouroversix (`nvint4`, `nvfp6_e2m3`); arXiv 2510.25602 for NVINT4.
extension BlockFormat where Self == TwoLevelFormat {
  /// INT4 elements, E4M3 scales for blocks of 16 and an FP32 scale for the tensor.
  public static var nvint4: Self { .nvint4(block: .vector(length: 16)) }
  /// E2M3 elements, E4M3 scales for blocks of 16 and an FP32 scale for the tensor.
  public static var nvfp6E2M3: Self { .nvfp6E2M3(block: .vector(length: 16)) }

  /// NVINT4 with a choice of block.
  public static func nvint4(block: BlockShape) -> Self {
    .kin("nvint4", .int4, block, source: "arXiv 2510.25602, fouroversix")
  }

  /// NVFP6 with E2M3 elements and a choice of block.
  public static func nvfp6E2M3(block: BlockShape) -> Self {
    .kin("nvfp6_e2m3", .e2m3fn, block, source: "fouroversix")
  }

  private static func kin(
    _ name: String, _ element: ElementFormat, _ block: BlockShape, source: String
  ) -> Self {
    TwoLevelFormat(
      id: block == .vector(length: 16) ? name : "\(name)(block=\(block.id))", source: source,
      element: element, block: block, scale: .e4m3fn)
  }
}

extension FormatFamily {
  static let nvfp4Kin: [FormatFamily] = [
    FormatFamily("nvint4", parameters: ["block=16"]) { arguments throws(FormatNameError) in
      TwoLevelFormat.nvint4(block: try arguments.blockShape(default: .vector(length: 16)))
    },
    FormatFamily("nvfp6_e2m3", parameters: ["block=16"]) { arguments throws(FormatNameError) in
      TwoLevelFormat.nvfp6E2M3(block: try arguments.blockShape(default: .vector(length: 16)))
    },
  ]
}
