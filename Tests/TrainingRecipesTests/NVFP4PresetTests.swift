import BlockFormats
import Testing
import TrainingRecipes

@Suite("NVFP4 recipes")
struct NVFP4PresetTests {
  static let usual =
    "overflow saturate, non-finite block_nan, scale floor none, zero block from_rule, source fp32"
  static let nearest = "scale amax, rounding nearest_even, \(usual)"
  static let stochastic = "scale amax, rounding stochastic(bits=32), \(usual)"
  static let rotated = "Hadamard 16, signs per_run"

  @Test("Formats, rounding and rotation are those of the paper for each operand")
  func operands() throws {
    let expected: [(ProductRole, TensorRole, String)] = [
      (.forward, .input, "nvfp4, \(Self.nearest), no transform"),
      (.forward, .weight, "nvfp4_2d, \(Self.nearest), no transform"),
      (.inputGradient, .outputGradient, "nvfp4, \(Self.stochastic), no transform"),
      (.inputGradient, .weight, "nvfp4_2d, \(Self.nearest), no transform"),
      (.weightGradient, .outputGradient, "nvfp4, \(Self.stochastic), \(Self.rotated)"),
      (.weightGradient, .input, "nvfp4, \(Self.nearest), \(Self.rotated)"),
    ]
    for name in ["nvfp4", "nvfp4_no_bf16_layers"] {
      for (product, tensor, text) in expected {
        for kind in LayerKind.projections {
          #expect(try PresetTests.text(name, kind, tensor, product) == text)
        }
      }
    }
  }

  @Test("The last 15 % of the blocks are BF16, rounded down to a whole number but at least one")
  func lastBlocks() throws {
    for (count, wide) in [(1, 1), (2, 1), (6, 1), (13, 1), (14, 2), (20, 3), (62, 9), (100, 15)] {
      for block in 0..<count {
        let text = try PresetTests.text(
          "nvfp4", .mlpUp, .input, .forward, block: block, of: count)
        #expect(text.hasPrefix("bf16") == (block >= count - wide), "\(block) of \(count)")
        let other = try PresetTests.text(
          "nvfp4_no_bf16_layers", .mlpUp, .input, .forward, block: block, of: count)
        #expect(other.hasPrefix("nvfp4,"))
      }
    }
  }

  @Test("Each ingredient left out changes only the operands it concerns")
  func ablations() throws {
    let places = ModelPlaces.everyKind(blocks: 20)
    func changed(by change: (inout NVFP4Ingredients) -> Void) -> [Role] {
      var parts = NVFP4Ingredients()
      change(&parts)
      let (full, less) = (Recipe.nvfp4(NVFP4Ingredients()), Recipe.nvfp4(parts))
      return places.flatMap(\.roles).filter { full.choice(for: $0) != less.choice(for: $0) }
    }
    let quantized = Set(LayerKind.projections)
    func narrow(_ role: Role) -> Bool {
      quantized.contains(role.place.kind) && role.place.block?.index ?? 0 < 17
    }
    let roles = places.flatMap(\.roles)
    #expect(
      changed { $0.rotatesWeightGradients = false }
        == roles.filter { narrow($0) && $0.product == .weightGradient })
    #expect(
      changed { $0.roundsGradientsStochastically = false }
        == roles.filter { narrow($0) && $0.tensor == .outputGradient })
    #expect(
      changed { $0.scalesWeightTiles = false }
        == roles.filter { narrow($0) && $0.tensor == .weight })
    #expect(
      changed { $0.keepsLastBlocks = false }
        == roles.filter { quantized.contains($0.place.kind) && $0.place.block?.index ?? 0 >= 17 })
    #expect(Set(NVFP4Ingredients.all.map(\.recipeName)).count == 16)
  }

  @Test("Four over six changes the scale rule of every NVFP4 operand and nothing else")
  func fourOverSix() throws {
    for role in ModelPlaces.everyKind(blocks: 4).flatMap(\.roles) {
      let plain = Recipe.nvfp4(NVFP4Ingredients()).choice(for: role)
      let other = Recipe.nvfp4FourOverSix.choice(for: role)
      guard case .block(let a) = plain, case .block(let b) = other else {
        #expect(plain == other)
        continue
      }
      #expect(a.policy.scaleRule == .amax && b.policy.scaleRule == .fourOverSix)
      var policy = b.policy
      policy.scaleRule = .amax
      #expect(policy == a.policy && a.format.layout == b.format.layout)
      #expect(a.stochasticBitCount == b.stochasticBitCount && a.transform == b.transform)
    }
    #expect(
      try PresetTests.text("nvfp4_4over6", .mlpUp, .weight, .forward)
        .hasPrefix("nvfp4_4over6(block=16x16), scale four_over_six, rounding nearest_even"))
  }

  @Test("Nemotron 3 keeps its sensitive layers in BF16 and Mamba's output in MXFP8")
  func nemotron3() throws {
    let plain = Recipe.nvfp4(NVFP4Ingredients())
    let wide: Set<LayerKind> = [
      .attentionQKV, .attentionOutput, .latentProjection, .multiTokenPrediction,
    ]
    for role in ModelPlaces.everyKind(blocks: 20).flatMap(\.roles) {
      let choice = Recipe.nemotron3.choice(for: role)
      if wide.contains(role.place.kind) {
        #expect(choice == .bfloat16)
      } else if role.place.kind == .mambaOut && role.place.block?.index ?? 0 < 17 {
        #expect(
          choice.description
            == "mxfp8_e4m3, scale rceil, rounding nearest_even, \(PresetTests.usual), no transform")
      } else {
        #expect(choice == plain.choice(for: role))
      }
    }
  }
}
