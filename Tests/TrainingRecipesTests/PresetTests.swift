import BlockFormats
import Testing
import TrainingRecipes

@Suite("Presets of recipes")
struct PresetTests {
  /// The choice of a preset for a role in a middle block, as text.
  static func text(
    _ name: String, _ kind: LayerKind, _ tensor: TensorRole, _ product: ProductRole,
    block: Int = 5, of count: Int = 20
  ) throws -> String {
    let role = ModelPlaces.role(kind, tensor, product, block: block, of: count)
    return try Recipe.named(name).choice(for: role).description
  }

  /// What every block format of the presets has in common.
  static let usual = "overflow saturate, non-finite block_nan, zero block from_rule, source fp32"

  @Test("The presets are those of the catalog, with names of their own that give them back")
  func names() throws {
    let names = Recipe.catalog.map(\.name)
    #expect(
      names == [
        "fp32", "bf16", "mxfp8", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp4_w_mxfp6_ag", "mxint8",
        "mxfp8_ties_even", "mxfp6_e3m2_ties_even", "mxfp6_e2m3_ties_even",
        "mxfp4_w_mxfp6_ag_ties_even", "mxint8_ties_even", "mx9", "mx6", "mx4", "msfp16",
        "fp8_delayed", "fp8_current", "fp8_blockwise", "mxfp8_rceil",
        "nvfp4", "nvfp4_1d_weights", "nvfp4_no_stochastic", "nvfp4_no_stochastic_1d_weights",
        "nvfp4_no_hadamard", "nvfp4_no_hadamard_1d_weights", "nvfp4_no_hadamard_no_stochastic",
        "nvfp4_no_hadamard_no_stochastic_1d_weights",
        "nvfp4_no_bf16_layers", "nvfp4_no_bf16_layers_1d_weights",
        "nvfp4_no_bf16_layers_no_stochastic", "nvfp4_no_bf16_layers_no_stochastic_1d_weights",
        "nvfp4_no_bf16_layers_no_hadamard", "nvfp4_no_bf16_layers_no_hadamard_1d_weights",
        "nvfp4_no_bf16_layers_no_hadamard_no_stochastic",
        "nvfp4_no_bf16_layers_no_hadamard_no_stochastic_1d_weights",
        "nvfp4_4over6", "nemotron3", "mxfp4", "quartet",
      ])
    for recipe in Recipe.catalog {
      #expect(try Recipe.named(recipe.name) == recipe)
      #expect(!recipe.source.isEmpty)
    }
  }

  @Test("An unknown name is refused with the names there are")
  func unknownName() {
    let error = #expect(throws: RecipeError.self) { try Recipe.named("nvfp5") }
    #expect(error?.description.hasPrefix("unknown recipe 'nvfp5'; known are fp32, bf16, ") == true)
  }

  @Test("Every preset resolves every role of every layer, and suits models of 1 to 20 blocks")
  func everyRole() throws {
    for blocks in [1, 2, 4, 20] {
      let places = ModelPlaces.everyKind(blocks: blocks)
      for recipe in Recipe.catalog {
        try recipe.check(places)
        for role in places.flatMap(\.roles) where role.place.kind == .router {
          #expect(recipe.choice(for: role) == (recipe.name == "fp32" ? .float32 : .bfloat16))
        }
      }
    }
  }

  @Test("Outside the projections every preset but fp32 is BF16, with dt and state in FP32")
  func wideRoles() throws {
    let quantized = Set(LayerKind.projections)
    for recipe in Recipe.catalog where recipe.name != "fp32" {
      for role in ModelPlaces.everyKind(blocks: 4).flatMap(\.roles)
      where !quantized.contains(role.place.kind) {
        let isState = role.tensor == .dt || role.tensor == .state
        #expect(recipe.choice(for: role) == (isState ? .float32 : .bfloat16))
      }
    }
  }

  @Test("fp32 leaves every role alone")
  func plain() throws {
    for role in ModelPlaces.everyKind(blocks: 2).flatMap(\.roles) {
      #expect(Recipe.fp32.choice(for: role) == .float32)
    }
  }

  @Test("The MX paper's presets quantize all six operands with floor scales and ties away")
  func microscaling() throws {
    for (name, format) in [
      ("mxfp8", "mxfp8_e4m3"), ("mxfp6_e3m2", "mxfp6_e3m2"), ("mxfp6_e2m3", "mxfp6_e2m3"),
      ("mxint8", "mxint8"),
    ] {
      for product in ProductRole.allCases {
        for tensor in LayerKind.mlpUp.operands(of: product) {
          let rest = "\(Self.usual), no transform"
          #expect(
            try Self.text(name, .mlpUp, tensor, product)
              == "\(format), scale floor, rounding nearest_away, \(rest)")
          #expect(
            try Self.text(name + "_ties_even", .mlpUp, tensor, product)
              == "\(format), scale floor, rounding nearest_even, \(rest)")
        }
      }
    }
  }

  @Test("mxfp4_w_mxfp6_ag has MXFP4 weights in both products that read them, MXFP6 E3M2 elsewhere")
  func mixedMicroscaling() throws {
    let expected: [(ProductRole, TensorRole, String)] = [
      (.forward, .input, "mxfp6_e3m2"), (.forward, .weight, "mxfp4"),
      (.inputGradient, .outputGradient, "mxfp6_e3m2"), (.inputGradient, .weight, "mxfp4"),
      (.weightGradient, .outputGradient, "mxfp6_e3m2"), (.weightGradient, .input, "mxfp6_e3m2"),
    ]
    for (product, tensor, format) in expected {
      #expect(
        try Self.text("mxfp4_w_mxfp6_ag", .attentionQKV, tensor, product)
          == "\(format), scale floor, rounding nearest_away, \(Self.usual), no transform")
    }
  }

  @Test("Plain mxfp4, microexponents and MSFP16 round to nearest even on every operand")
  func plainBlocks() throws {
    for name in ["mxfp4", "mx9", "mx6", "mx4", "msfp16"] {
      for product in ProductRole.allCases {
        for tensor in LayerKind.mambaOut.operands(of: product) {
          #expect(
            try Self.text(name, .mambaOut, tensor, product)
              == "\(name), scale floor, rounding nearest_even, \(Self.usual), no transform")
        }
      }
    }
  }

  @Test("Per-tensor FP8 is E4M3 forward and E5M2 for gradients, delayed or from the tensor itself")
  func perTensorFP8() throws {
    let rest =
      "scale amax, rounding nearest_even, overflow saturate, non-finite element, source fp32, "
      + "no transform"
    let history = ", delayed scaling over 1024 steps, amax max, margin 0"
    for (name, scaling) in [("fp8_current", ""), ("fp8_delayed", history)] {
      #expect(
        try Self.text(name, .mlpDown, .input, .forward) == "fp8_e4m3_tensor, \(rest)\(scaling)")
      #expect(
        try Self.text(name, .mlpDown, .weight, .inputGradient)
          == "fp8_e4m3_tensor, \(rest)\(scaling)")
      #expect(
        try Self.text(name, .mlpDown, .outputGradient, .weightGradient)
          == "fp8_e5m2_tensor, \(rest)\(scaling)")
    }
  }

  @Test("Blockwise FP8 has 1x128 inputs and gradients, 128x128 weights, BF16 at both ends")
  func blockwiseFP8() throws {
    let rest =
      "scale amax, rounding nearest_even, overflow saturate, non-finite element, source fp32, "
      + "no transform"
    #expect(
      try Self.text("fp8_blockwise", .mambaIn, .input, .forward) == "fp8_e4m3_1x128, \(rest)")
    #expect(
      try Self.text("fp8_blockwise", .mambaIn, .outputGradient, .weightGradient)
        == "fp8_e4m3_1x128, \(rest)")
    #expect(
      try Self.text("fp8_blockwise", .mambaIn, .weight, .inputGradient)
        == "fp8_e4m3_128x128, \(rest)")
    for block in 0..<20 {
      let isWide = try Self.text("fp8_blockwise", .mambaIn, .input, .forward, block: block)
        .hasPrefix("bf16")
      #expect(isWide == (block == 0 || block == 19))
    }
  }

  @Test("MXFP8 with scales rounded up is E4M3 for gradients too")
  func roundedUp() throws {
    #expect(
      try Self.text("mxfp8_rceil", .mlpUp, .outputGradient, .inputGradient)
        == "mxfp8_e4m3, scale rceil, rounding nearest_even, \(Self.usual), no transform")
  }

  @Test("Quartet rotates all three products and rounds stochastically backward only")
  func quartet() throws {
    let forward =
      "mxfp4, scale search, rounding nearest_even, \(Self.usual), Hadamard 32, signs positive"
    let backward =
      "mxfp4, scale rceil, rounding stochastic(bits=32), \(Self.usual), Hadamard 32, "
      + "signs per_step, premultiplier 0.75"
    for product in ProductRole.allCases {
      for tensor in LayerKind.mlpUp.operands(of: product) {
        #expect(
          try Self.text("quartet", .mlpUp, tensor, product)
            == (product == .forward ? forward : backward))
      }
    }
    #expect(Recipe.quartet.notes.count == 4)
  }
}
