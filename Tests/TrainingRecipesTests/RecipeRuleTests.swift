import BlockFormats
import Testing
import TrainingRecipes

@Suite("Rules of recipes")
struct RecipeRuleTests {
  static let mxfp4 = QuantizationChoice.block(BlockQuantization(.mxfp4))

  @Test("The last rule that matches decides, and without a match a role stays in FP32")
  func precedence() {
    let recipe = Recipe(
      name: "mine", source: "here",
      rules: [
        RecipeRule(.bfloat16, layers: [.mlpUp]),
        RecipeRule(Self.mxfp4, layers: [.mlpUp, .mlpDown], tensors: [.weight]),
        RecipeRule(.float32, names: ["late"], products: [.inputGradient]),
      ])
    func choice(
      _ kind: LayerKind, _ tensor: TensorRole, _ product: ProductRole, _ name: String = ""
    ) -> QuantizationChoice {
      recipe.choice(for: Role(LayerPlace(kind, name: name), tensor, product))
    }
    #expect(choice(.mlpUp, .input, .forward) == .bfloat16)
    #expect(choice(.mlpUp, .weight, .forward) == Self.mxfp4)
    #expect(choice(.mlpDown, .input, .forward) == .float32)
    #expect(choice(.mlpDown, .weight, .inputGradient) == Self.mxfp4)
    #expect(choice(.mlpDown, .weight, .inputGradient, "late") == .float32)
    #expect(choice(.mlpDown, .weight, .forward, "late") == Self.mxfp4)
    #expect(choice(.head, .weight, .forward) == .float32)
  }

  @Test("Selectors of blocks choose these blocks, and never layers outside them")
  func blocks() {
    let expected: [(BlockSelector, [Int])] = [
      (.first(2), [0, 1]), (.first(0), []), (.last(1), [6]), (.last(9), [0, 1, 2, 3, 4, 5, 6]),
      (.lastPercent(15), [6]), (.lastPercent(30), [5, 6]), (.lastPercent(0), [6]),
      (.lastPercent(100), [0, 1, 2, 3, 4, 5, 6]), (.only([3, 5, 99]), [3, 5]),
    ]
    for (selector, indices) in expected {
      #expect((0..<7).filter { selector.contains(BlockPosition($0, of: 7)) } == indices)
      let rule = RecipeRule(.bfloat16, blocks: selector)
      #expect(!rule.matches(Role(LayerPlace(.head), .weight, .forward)))
    }
  }

  @Test("Operands of a product must have the same transform")
  func transforms() {
    let rotated = QuantizationChoice.block(
      BlockQuantization(.mxfp4, transform: OperandTransform(length: 32, signs: .perRun)))
    let place = LayerPlace(.mlpUp)
    let oneSided = Recipe(
      name: "a", source: "b", rules: [RecipeRule(rotated, tensors: [.weight])])
    #expect(throws: RecipeError.differentTransforms(place, .forward)) {
      try oneSided.check([place])
    }
    let everywhere = Recipe(name: "a", source: "b", rules: [RecipeRule(rotated)])
    #expect(throws: Never.self) { try everywhere.check([place]) }
    for kind in [LayerKind.embedding, .mambaScan] {
      let place = LayerPlace(kind)
      #expect(throws: RecipeError.transformOutsideProduct(place, .forward)) {
        try everywhere.check([place])
      }
    }
  }

  @Test("A report says for every role of a model what it gets, with blocks as ranges")
  func report() throws {
    let places = (0..<4).flatMap { index in
      [LayerKind.mlpUp, .mambaScan].map { LayerPlace($0, block: BlockPosition(index, of: 4)) }
    }
    let lines = try Recipe.named("mxfp4").report(for: places + [LayerPlace(.head)])
    #expect(lines.count == 6 + 5 + 6)
    #expect(
      lines[1] == "mlp_up forward weight in blocks 0-3: mxfp4, scale floor, rounding nearest_even, "
        + "overflow saturate, non-finite block_nan, zero block from_rule, source fp32, no transform"
    )
    #expect(lines.contains("mamba_scan forward state in blocks 0-3: fp32"))
    #expect(lines.contains("head forward weight: bf16, rounding nearest_even"))
    let blockwise = Recipe.fp8Blockwise.report(for: places)
    #expect(
      blockwise.contains("mlp_up forward input in blocks 0, 3: bf16, rounding nearest_even"))
    #expect(
      blockwise.contains { $0.hasPrefix("mlp_up forward input in blocks 1-2: fp8_e4m3_1x128,") })
  }

  @Test("A description lists source, notes and rules in order")
  func description() {
    let recipe = Recipe(
      name: "mine", source: "here", notes: ["rough"],
      rules: [
        RecipeRule(.bfloat16),
        RecipeRule(
          .float32, layers: [.head, .mlpUp], blocks: .lastPercent(15), names: ["x"],
          tensors: [.weight], products: [.forward]),
      ])
    #expect(
      recipe.description == """
        mine (here)
        note: rough
        every role: fp32, unless a later line says otherwise
        every role: bf16, rounding nearest_even
        mlp_up, head; layers named x; last 15 % of blocks, rounded down, at least one \
        (of 4 blocks 1, 25 %); forward; weight: fp32
        """)
  }

  @Test("A percentage says what it is of four blocks")
  func percentages() {
    #expect(
      BlockSelector.lastPercent(15).description
        == "last 15 % of blocks, rounded down, at least one (of 4 blocks 1, 25 %)")
    #expect(BlockSelector.lastPercent(50).description.hasSuffix("(of 4 blocks 2, 50 %)"))
    #expect(Recipe.nvfp4(NVFP4Ingredients()).description.contains("(of 4 blocks 1, 25 %)"))
  }
}
