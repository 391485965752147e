import BlockFormats
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Recipes and the models they are for")
struct RecipeMatchTests {
  private static let mxfp4 = QuantizationChoice.block(BlockQuantization(.mxfp4))

  private func model(
    _ rules: [RecipeRule], _ kind: ModelKind = .transformer
  ) throws(RecipeError) -> StackedModel {
    try StackedModel(
      kind.configuration(vocabularyCount: 8, width: 16, depth: 2, headCount: 2, context: 4),
      recipe: Recipe(name: "mine", source: "a test", rules: rules), seed: 0)
  }

  /// The error of a model, as text.
  private func message(_ rules: [RecipeRule], _ kind: ModelKind = .transformer) -> String? {
    do throws(RecipeError) { _ = try model(rules, kind) } catch { return error.description }
    return nil
  }

  @Test("A model refuses a recipe with a rotation on one side of a product, and so does a layer")
  func oneSidedRotation() {
    let rotated = QuantizationChoice.block(
      BlockQuantization(.mxfp4, transform: OperandTransform(length: 32, signs: .perRun)))
    let rule = RecipeRule(rotated, layers: LayerKind.projections, tensors: [.weight])
    #expect(
      message([rule])
        == "forward of attention_qkv 'blocks.0.attention.qkv' of block 0 of 2: the operands have "
        + "different transforms")
    let place = LayerPlace(.mlpUp)
    #expect(throws: RecipeError.differentTransforms(place, .forward)) {
      try LayerQuantization(
        place, number: 0, recipe: Recipe(name: "mine", source: "a test", rules: [rule]))
    }
  }

  @Test("A name that the model does not have is an error with the nearest names")
  func unknownNames() {
    let cases: [(String, String)] = [
      (
        "blocks.0.nope",
        "blocks.0.attention.qkv, blocks.0.attention.output, blocks.0.mlp.up, blocks.0.mlp.down"
      ),
      ("blocks.7.mlp.up", "blocks.0.mlp.up, blocks.1.mlp.up"),
      ("blocks.1.mlp.upp", "blocks.1.mlp.up"), ("mlp.down", "blocks.0.mlp.down, blocks.1.mlp.down"),
      ("heads", "head"), ("embeding", "embedding"),
    ]
    for (name, near) in cases {
      #expect(
        message([RecipeRule(.bfloat16), RecipeRule(Self.mxfp4, names: ["head", name])])
          == "rule 2 of recipe 'mine' (layers named \([name, "head"].sorted().joined(separator: ", "))): "
          + "the model has no layer '\(name)'; near it are \(near)", "\(name)")
    }
    #expect(
      message([RecipeRule(Self.mxfp4, names: ["#"])])
        == "rule 1 of recipe 'mine' (layers named #): the model has no layer '#'")
  }

  @Test("A block that the model does not have is an error with the number of blocks")
  func unknownBlocks() {
    #expect(
      message([RecipeRule(Self.mxfp4, blocks: .only([0, 99]))])
        == "rule 1 of recipe 'mine' (blocks 0, 99): the model has no block 99; its 2 blocks count "
        + "from 0")
    #expect(message([RecipeRule(.bfloat16, blocks: .only([0, 1]))]) == nil)
  }

  @Test("Rules whose conditions exclude each other are errors")
  func contradictions() {
    let rules: [(RecipeRule, String)] = [
      (RecipeRule(.bfloat16, layers: [.mlpUp], tensors: [.state]), "mlp_up; state"),
      (
        RecipeRule(.bfloat16, tensors: [.weight], products: [.weightGradient]),
        "weight_gradient; weight"
      ),
      (RecipeRule(.bfloat16, layers: [.head], blocks: .last(1)), "head; last 1 blocks"),
      (RecipeRule(.bfloat16, blocks: .first(0)), "first 0 blocks"),
      (RecipeRule(.bfloat16, blocks: .only([])), "blocks "),
      (RecipeRule(.bfloat16, layers: []), ""),
      (RecipeRule(.bfloat16, names: []), "layers named "),
    ]
    for (rule, conditions) in rules {
      #expect(
        message([RecipeRule(.bfloat16), rule])
          == "rule 2 of recipe 'mine' (\(conditions)): matches no operand of the model")
    }
    #expect(
      message([RecipeRule(.bfloat16, layers: [.mlpUp], names: ["head"])])
        == "rule 1 of recipe 'mine' (mlp_up; layers named head): its other conditions leave out every "
        + "operand of layer 'head'")
  }

  @Test("Kinds of layers may be absent, which is told, but not all that a recipe is about")
  func absentKinds() throws {
    let scans = RecipeRule(.float32, layers: [.mambaScan], tensors: [.state])
    let rules = [RecipeRule(.bfloat16), scans]
    let recipe = Recipe(name: "mine", source: "a test", rules: rules)
    let transformer = try model(rules).quantizations.map(\.place)
    #expect(
      recipe.idleRules(in: transformer).map(\.description)
        == ["rule 2 of recipe 'mine' (mamba_scan; state)"])
    let mamba = try model(rules, .mamba).quantizations.map(\.place)
    #expect(recipe.idleRules(in: mamba).isEmpty)
    #expect(message([scans]) == "no rule of recipe 'mine' matches an operand of the model")
    // With a name or a number, the rule is about this model.
    #expect(
      message([
        RecipeRule(.bfloat16), RecipeRule(.bfloat16, layers: [.mambaIn], blocks: .only([1])),
      ])
        == "rule 2 of recipe 'mine' (mamba_in; blocks 1): matches no operand of the model")
  }

  @Test(
    "Every preset suits every kind of model, of one block and without blocks",
    arguments: ModelKind.allCases)
  func presets(kind: ModelKind) throws {
    for depth in [1, 4] {
      var configuration = kind.configuration(
        vocabularyCount: 8, width: 16, depth: depth, headCount: 2, context: 4)
      for recipe in Recipe.catalog {
        _ = try StackedModel(configuration, recipe: recipe, seed: 0)
      }
      configuration.blocks = []
      for recipe in Recipe.catalog {
        _ = try StackedModel(configuration, recipe: recipe, seed: 0)
      }
    }
  }

  @Test(
    "The example of the documentation suits a Transformer, and the layer that it names is there")
  func example() throws {
    let model = try StackedModel(
      .transformer(vocabularyCount: 8, width: 8, blockCount: 4, headCount: 2, context: 4),
      recipe: Recipe(json: Recipe.jsonExample), seed: 0)
    #expect(
      model.quantizations.filter { $0.place.name == "blocks.0.attention.output" }.count == 1)
  }
}
