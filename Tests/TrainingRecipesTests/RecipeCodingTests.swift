import BlockFormats
import Foundation
import Testing
import TrainingRecipes

@Suite("Recipes in coders")
struct RecipeCodingTests {
  private func decoded<Part: Codable>(_ part: Part) throws -> Part {
    try JSONDecoder().decode(Part.self, from: JSONEncoder().encode(part))
  }

  @Test("Every preset comes back equal from a coder, whose values are those of its JSON")
  func presets() throws {
    for recipe in Recipe.catalog {
      let encoded = try JSONEncoder().encode(recipe)
      #expect(try JSONDecoder().decode(Recipe.self, from: encoded) == recipe)
      #expect(try Recipe(json: String(decoding: encoded, as: UTF8.self)) == recipe)
      #expect(try JSONDecoder().decode(Recipe.self, from: Data(recipe.json.utf8)) == recipe)
    }
  }

  @Test("Parts of recipes come back equal by themselves")
  func parts() throws {
    let transform = OperandTransform(length: 64, signs: .perStep)
    let quantization = BlockQuantization(
      .mx6, stochasticBitCount: 7, transform: transform, source: .bfloat16, premultiplier: 1.1)
    let delayed = DelayedScaling(historyLength: 16, margin: -2, amax: .mostRecent)
    #expect(try decoded(transform) == transform)
    #expect(try decoded(delayed) == delayed)
    #expect(try decoded(quantization) == quantization)
    for choice in [QuantizationChoice.float32, .bfloat16, .block(quantization)] {
      #expect(try decoded([choice]) == [choice])
    }
    for blocks in [BlockSelector.first(2), .last(3), .lastPercent(15), .only([1, 4])] {
      #expect(try decoded(blocks) == blocks)
      let rule = RecipeRule(
        .block(quantization), layers: [.mambaX], blocks: blocks, names: ["x", "y"],
        tensors: [.input], products: [.forward])
      #expect(try decoded(rule) == rule)
    }
    #expect(try decoded([LayerKind.attentionQKV: ProductRole.forward]) == [.attentionQKV: .forward])
  }

  @Test("Numbers of every spelling are those that the recipe's reader takes them for")
  func numbers() throws {
    for text in ["1", "1.0", "1.5", "5e-1", "0.7500000001", "1.1", "2"] {
      let json = #"{"format": "mxfp4", "premultiplier": "# + text + "}"
      let choice = try JSONDecoder().decode(BlockQuantization.self, from: Data(json.utf8))
      #expect(choice.premultiplier == Float(text), "\(text)")
    }
  }

  @Test(
    "A decoder's error has the text of the recipe's",
    arguments: [
      "[]", #"{"name": "a", "rules": [], "rule": 1}"#, #"{"rules": []}"#,
      #"{"name": 3, "rules": []}"#, #"{"name": true, "rules": []}"#,
      #"{"name": null, "rules": []}"#,
      #"{"name": "a", "rules": [{"quantizer": "fp64"}]}"#,
      #"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": {"last_percent": 1.5}}]}"#,
      #"{"name": "a", "rules": [{"quantizer": {"format": "mxfp5"}}]}"#,
      #"{"name": "a", "rules": [{"quantizer": {"format": "mxfp4", "premultiplier": 3}}]}"#,
      #"{"name": "a", "rules": [{"quantizer": {"format": "mxfp4", "delayed_scaling": {}}}]}"#,
    ])
  func errors(json: String) throws {
    let expected = try #require(throws: RecipeError.self) { try Recipe(json: json) }
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode(Recipe.self, from: Data(json.utf8))
    }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(context.debugDescription == expected.description)
    #expect(context.underlyingError as? RecipeError == expected)
  }

  @Test("What would not be decoded again is not encoded")
  func encodingErrors() throws {
    func reason(_ part: some Encodable) throws -> String? {
      let error = try #require(throws: EncodingError.self) { try JSONEncoder().encode(part) }
      guard case .invalidValue(_, let context) = error else { return nil }
      return context.debugDescription
    }
    #expect(
      try reason(RecipeRule(.bfloat16, blocks: .first(0)))
        == "rule.blocks.first: 0 is not valid; expected an integer in 1...1000000")
    #expect(
      try reason(Recipe(name: "", source: "a test", rules: []))
        == "recipe.name: '' is not valid; expected a name")
    let stranger = TwoLevelFormat(
      id: "nvfp4", source: "a test", element: .e2m1fn, block: .vector(length: 32), scale: .e4m3fn)
    #expect(
      try reason(QuantizationChoice.block(BlockQuantization(stranger)))
        == "quantizer: would be decoded as another")
  }

  @Test("An error names the place of a part inside the caller's own value")
  func nestedErrors() throws {
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode([String: [BlockSelector]].self, from: Data(#"{"a": [{}]}"#.utf8))
    }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(context.codingPath.map(\.stringValue).first == "a")
    #expect(context.debugDescription.hasPrefix("blocks: 0 keys is not valid; expected exactly one"))
  }

  @Test("Names print as they are read, and no other text is one")
  func names() {
    func check<Choice: NamedChoice>(_ type: Choice.Type) {
      for choice in Choice.allCases {
        #expect("\(choice)" == choice.rawValue)
        #expect(Choice("\(choice)") == choice)
      }
      #expect(Choice("no such choice") == nil)
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode([Choice].self, from: Data(#"["no such choice"]"#.utf8))
      }
    }
    check(LayerKind.self)
    check(TensorRole.self)
    check(ProductRole.self)
    check(SourcePrecision.self)
    check(OperandTransform.Signs.self)
    check(DelayedScaling.Amax.self)
  }
}
