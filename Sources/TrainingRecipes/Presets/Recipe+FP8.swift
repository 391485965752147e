import BlockFormats

/// FP8 recipes of TransformerEngine and of the Nemotron models.
///
/// `fp8_delayed` and `fp8_current` use E4M3 forward and E5M2 for gradients, one scale a tensor.
/// `fp8_blockwise` uses E4M3 throughout, 1x128 blocks of inputs and gradients, 128x128 of weights.
/// `mxfp8_rceil` is MXFP8 E4M3 with scales rounded up.
extension Recipe {
  /// The FP8 presets.
  static let scaledFP8: [Recipe] = [.fp8Delayed, .fp8Current, .fp8Blockwise, .mxfp8RoundedUp]

  /// Scales from the amax of the last 1024 steps.
  ///
  /// Source: TransformerEngine's DelayedScaling (hybrid); arXiv 2209.05433.
  public static let fp8Delayed = perTensorFP8(
    "fp8_delayed", source: "TransformerEngine DelayedScaling, arXiv 2209.05433",
    scaling: .delayed(DelayedScaling()))

  /// Scales from the tensor itself.
  ///
  /// Source: TransformerEngine's Float8CurrentScaling (hybrid), as Nemotron-H (arXiv 2504.03624),
  /// without its BF16 layers.
  public static let fp8Current = perTensorFP8(
    "fp8_current", source: "TransformerEngine Float8CurrentScaling", scaling: .current)

  /// FP32 scales of tiles; first and last block BF16.
  ///
  /// Source: Nemotron Nano 2, arXiv 2508.14444; block shapes of DeepSeek-V3, arXiv 2412.19437.
  public static let fp8Blockwise = Recipe(
    name: "fp8_blockwise", source: "Nemotron Nano 2, arXiv 2508.14444",
    notes: [
      "descriptions of its BF16 layers differ (first and last four products, first one and last "
        + "two blocks, first and last two layers): here the first and the last block",
      "scales are FP32 numbers; TransformerEngine's default rounds them to powers of two",
    ],
    rules: wide + [
      narrow(BlockQuantization(.fp8(.e4m3fn, block: .vector(length: 128)))),
      narrow(
        BlockQuantization(.fp8(.e4m3fn, block: .tile(rows: 128, columns: 128))), [.weight]),
      RecipeRule(.bfloat16, layers: LayerKind.projections, blocks: .first(1)),
      RecipeRule(.bfloat16, layers: LayerKind.projections, blocks: .last(1)),
    ])

  /// MXFP8 E4M3 for inputs, weights and gradients, with scales that never clip.
  ///
  /// Source: Mishra et al., "Recipes for pre-training LLMs with MXFP8", arXiv 2506.08027;
  /// TransformerEngine's MXFP8BlockScaling.
  public static let mxfp8RoundedUp = Recipe(
    name: "mxfp8_rceil", source: "arXiv 2506.08027, TransformerEngine MXFP8BlockScaling",
    rules: wide + [narrow(mxfp8)])

  /// MXFP8 E4M3 with scales rounded up, to nearest even.
  static var mxfp8: BlockQuantization {
    var policy = SharedExponentFormat.mxfp8E4M3.defaultPolicy
    policy.scaleRule = .powerOfTwo(.rceil)
    return BlockQuantization(.mxfp8E4M3, policy: policy)
  }

  private static func perTensorFP8(
    _ name: String, source: String, scaling: TensorScaling
  ) -> Recipe {
    Recipe(
      name: name, source: source,
      rules: wide + [
        narrow(BlockQuantization(.fp8(.e4m3fn, block: .tensor), scaling: scaling)),
        narrow(
          BlockQuantization(.fp8(.e5m2, block: .tensor), scaling: scaling), [.outputGradient]),
      ])
  }
}
