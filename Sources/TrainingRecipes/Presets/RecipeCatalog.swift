extension Recipe {
  /// Every preset, in the order of listings.
  public static let catalog: [Recipe] =
    [.fp32, .bf16] + Recipe.microscaling + Recipe.blockFloatingPoint + Recipe.scaledFP8
    + NVFP4Ingredients.all.map(Recipe.nvfp4) + [.nvfp4FourOverSix, .nemotron3, .mxfp4, .quartet]

  /// The preset of a name.
  public static func named(_ name: String) throws(RecipeError) -> Recipe {
    guard let recipe = catalog.first(where: { $0.name == name }) else {
      throw .unknownRecipe(name, known: catalog.map(\.name))
    }
    return recipe
  }

  /// Everything in FP32: plain training, bit for bit.
  public static let fp32 = Recipe(name: "fp32", source: "IEEE 754-2019", rules: [])

  /// Operands of every layer rounded to BF16, as mixed-precision training does.
  ///
  /// The scan's step sizes and state stay in FP32, as in the reference implementation of Mamba
  /// (arXiv 2312.00752, arXiv 2405.21060).
  public static let bf16 = Recipe(
    name: "bf16", source: "BF16 mixed precision; the Mamba reference implementation for scans",
    rules: wide)

  /// The rules of everything that narrow presets leave alone: those of `bf16`.
  static let wide = [
    RecipeRule(.bfloat16),
    RecipeRule(.float32, layers: [.mambaScan], tensors: [.dt, .state]),
  ]

  /// The rules that put one choice on every operand of the projections.
  static func narrow(
    _ choice: BlockQuantization, _ tensors: [TensorRole]? = nil, in products: [ProductRole]? = nil
  ) -> RecipeRule {
    RecipeRule(
      .block(choice), layers: LayerKind.projections, tensors: tensors, products: products)
  }
}
