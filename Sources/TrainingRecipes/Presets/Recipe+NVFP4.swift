import BlockFormats

/// The parts of NVIDIA's NVFP4 training recipe, each of which can be left out.
public struct NVFP4Ingredients: Hashable, Sendable {
  /// The last 15 % of the blocks, rounded down but at least one, stay in BF16.
  public var keepsLastBlocks = true
  /// Both operands of weight gradients are rotated by 16-point random Hadamard matrices.
  public var rotatesWeightGradients = true
  /// Gradients are rounded stochastically; otherwise to nearest even.
  public var roundsGradientsStochastically = true
  /// Weights have one scale for 16x16 elements; otherwise for 1x16.
  public var scalesWeightTiles = true

  /// Creates the full recipe.
  public init() {}

  /// Every combination, the full recipe first.
  public static let all: [NVFP4Ingredients] = (0..<16).map { bits in
    var parts = NVFP4Ingredients()
    parts.keepsLastBlocks = bits & 8 == 0
    parts.rotatesWeightGradients = bits & 4 == 0
    parts.roundsGradientsStochastically = bits & 2 == 0
    parts.scalesWeightTiles = bits & 1 == 0
    return parts
  }

  /// The name of the recipe: `nvfp4`, followed by what is left out.
  public var recipeName: String {
    "nvfp4" + (keepsLastBlocks ? "" : "_no_bf16_layers")
      + (rotatesWeightGradients ? "" : "_no_hadamard")
      + (roundsGradientsStochastically ? "" : "_no_stochastic")
      + (scalesWeightTiles ? "" : "_1d_weights")
  }
}

extension Recipe {
  /// NVFP4 for every product, with all its ingredients or without some.
  ///
  /// | product | first operand | second operand |
  /// |---|---|---|
  /// | forward | input: 1x16, to nearest | weight: 16x16, to nearest |
  /// | input gradient | gradient: 1x16, stochastic | weight: 16x16, to nearest |
  /// | weight gradient | gradient: rotated, 1x16, stochastic | input: rotated, 1x16, to nearest |
  ///
  /// Source: "Pretraining large language models with NVFP4", arXiv 2509.25149; TransformerEngine's
  /// NVFP4BlockScaling.
  public static func nvfp4(_ parts: NVFP4Ingredients) -> Recipe {
    Recipe(
      name: parts.recipeName, source: "arXiv 2509.25149, TransformerEngine NVFP4BlockScaling",
      notes: parts.keepsLastBlocks ? nvfp4Notes + [lastBlocksNote] : nvfp4Notes,
      rules: nvfp4Rules(parts, scaleRule: .amax))
  }

  /// The NVFP4 recipe in which every block maps its largest magnitude to 6 or 4.
  ///
  /// Source: Cook et al., "Four Over Six", arXiv 2512.02010.
  public static let nvfp4FourOverSix = Recipe(
    name: "nvfp4_4over6", source: "arXiv 2512.02010 within the recipe of arXiv 2509.25149",
    notes: nvfp4Notes + [
      lastBlocksNote,
      "gradients choose between 6 and 4 by the error of their stochastic rounding, a slight bias; "
        + "the published unbiased variant, which scales by 16/17, is not built",
    ],
    rules: nvfp4Rules(NVFP4Ingredients(), scaleRule: .fourOverSix))

  /// The NVFP4 recipe with the exceptions of Nemotron 3 Super and Ultra: latent projections,
  /// multi-token prediction, QKV and attention output in BF16, Mamba's output projection in MXFP8.
  ///
  /// Source: "NVIDIA Nemotron 3", arXiv 2512.20856.
  public static let nemotron3: Recipe = {
    var rules = nvfp4Rules(NVFP4Ingredients(), scaleRule: .amax)
    let last = rules.removeLast()
    rules.append(
      RecipeRule(
        .bfloat16,
        layers: [.attentionQKV, .attentionOutput, .latentProjection, .multiTokenPrediction]))
    rules.append(RecipeRule(.block(mxfp8), layers: [.mambaOut]))
    return Recipe(
      name: "nemotron3", source: "Nemotron 3, arXiv 2512.20856",
      notes: nvfp4Notes + ["the scale rule of its MXFP8 is not stated: TransformerEngine's rceil"],
      rules: rules + [last])
  }()

  private static let nvfp4Notes = [
    "operands are quantized from FP32; TransformerEngine rounds them to BF16 before and after the "
      + "rotation"
  ]
  private static let lastBlocksNote =
    "only the last 15 % of the blocks are BF16; the 12 B model also kept its first two"

  private static func nvfp4Rules(
    _ parts: NVFP4Ingredients, scaleRule: ScaleRule
  ) -> [RecipeRule] {
    let vectors = TwoLevelFormat.nvfp4(block: .vector(length: 16), scaleRule: scaleRule)
    let tiles = TwoLevelFormat.nvfp4(block: .tile(rows: 16, columns: 16), scaleRule: scaleRule)
    let bits = parts.roundsGradientsStochastically ? 32 : nil
    let rotation =
      parts.rotatesWeightGradients ? OperandTransform(length: 16, signs: .perRun) : nil
    var rules =
      wide + [
        narrow(BlockQuantization(vectors), [.input]),
        narrow(BlockQuantization(parts.scalesWeightTiles ? tiles : vectors), [.weight]),
        narrow(BlockQuantization(vectors, stochasticBitCount: bits), [.outputGradient]),
        narrow(BlockQuantization(vectors, transform: rotation), [.input], in: [.weightGradient]),
        narrow(
          BlockQuantization(vectors, stochasticBitCount: bits, transform: rotation),
          [.outputGradient], in: [.weightGradient]),
      ]
    if parts.keepsLastBlocks {
      rules.append(
        RecipeRule(.bfloat16, layers: LayerKind.projections, blocks: .lastPercent(15)))
    }
    return rules
  }
}
