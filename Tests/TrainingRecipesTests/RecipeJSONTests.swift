import BlockFormats
import FormatTestSupport
import Testing
import TrainingRecipes

@Suite("Recipes as JSON")
struct RecipeJSONTests {
  @Test("Every preset comes back equal from its JSON")
  func presets() throws {
    for recipe in Recipe.catalog { #expect(try Recipe(json: recipe.json) == recipe) }
  }

  @Test("Every field of a user's recipe comes back from its JSON")
  func everyField() throws {
    var policy = TwoLevelFormat.nvfp4.defaultPolicy
    policy.rounding = .toOdd
    policy.overflow = .special
    policy.nonFinite = .nanToZero
    policy.scaleFloor = .leastNormal
    policy.zeroBlock = .one
    let parameters = DelayedScaling(historyLength: 16, margin: -2, amax: .mostRecent)
    let recipe = Recipe(
      name: "a \"b\"\n\\ é 🙂", source: "\u{1}", notes: ["one", "two"],
      rules: [
        RecipeRule(.block(BlockQuantization(.nvfp4, policy: policy)), names: ["x", "y"]),
        RecipeRule(
          .block(
            BlockQuantization(
              .mx6, stochasticBitCount: 7, transform: OperandTransform(length: 64, signs: .perStep),
              source: .bfloat16, premultiplier: 1.1)),
          layers: [.mambaX], blocks: .only([1, 4]), products: [.forward]),
        RecipeRule(
          .block(BlockQuantization(.fp8(.e5m2, block: .tensor), scaling: .delayed(parameters))),
          blocks: .first(2), tensors: [.dt, .state]),
        RecipeRule(.float32, blocks: .last(3)),
      ])
    #expect(try Recipe(json: recipe.json) == recipe)
  }

  @Test(
    "Every alternative of every choice of a policy comes back from a recipe's JSON",
    arguments: PolicyAspect.allCases)
  func everyChoice(aspect: PolicyAspect) throws {
    for format in FormatCatalog.all where format.follows(aspect) {
      let others = aspect.alternatives(scaleRules: format.scaleRules).filter {
        !$0.id.hasPrefix("stochastic")
      }
      for alternative in others {
        var policy = format.defaultPolicy
        #expect(aspect.choose(alternative.id, in: &policy, scaleRules: format.scaleRules))
        let recipe = Recipe(
          name: "r", source: "", notes: [],
          rules: [RecipeRule(.block(BlockQuantization(format, policy: policy)))])
        #expect(try Recipe(json: recipe.json) == recipe, "\(format.id) \(alternative.id)")
      }
    }
  }

  @Test("A rule may name the projections as a group")
  func group() throws {
    let json = #"{"name": "a", "rules": [{"layers": ["projections"], "quantizer": "bf16"}]}"#
    let rules = try Recipe(json: json).rules
    #expect(rules == [RecipeRule(.bfloat16, layers: LayerKind.projections)])
    #expect(Recipe.mxfp4.json.contains(#""layers": ["projections"]"#))
    #expect(Recipe.mxfp4.description.contains("\nprojections: attention_qkv, attention_output, "))
    #expect(Recipe.mxfp4.description.contains("\nprojections: mxfp4, scale floor, "))
  }

  @Test("The example of the documentation extends a preset")
  func example() throws {
    let recipe = try Recipe(json: Recipe.jsonExample)
    let base = try Recipe.named("nvfp4_no_bf16_layers")
    #expect(Array(recipe.rules.prefix(base.rules.count)) == base.rules)
    #expect(recipe.notes == base.notes && recipe.source == "an experiment")
    #expect(
      recipe.choice(for: ModelPlaces.role(.mlpUp, .weight, .forward))
        == .block(BlockQuantization(.nvfp4)))
    var policy = SharedExponentFormat.mxfp4.defaultPolicy
    policy.scaleRule = .powerOfTwo(.rceil)
    #expect(
      recipe.choice(for: ModelPlaces.role(.attentionQKV, .input, .weightGradient))
        == .block(
          BlockQuantization(
            .mxfp4, policy: policy, stochasticBitCount: 32,
            transform: OperandTransform(length: 32, signs: .perStep))))
    #expect(
      recipe.choice(for: ModelPlaces.role(.mlpUp, .weight, .forward, block: 19)) == .bfloat16)
  }

  @Test("The list of keys is what the reader knows, each with a value that it accepts")
  func keys() throws {
    let objects = Dictionary(grouping: Recipe.jsonKeys, by: \.object)
    #expect(
      Set(objects.keys)
        == ["recipe", "rule", "blocks", "quantizer", "transform", "delayed_scaling"])
    // What stands at the keys of an object, and the text around the object.
    let around: [String: (head: String, tail: String)] = [
      "recipe": ("", ""), "rule": (#"{"name": "a", "rules": ["#, "]}"),
      "blocks": (#"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": "#, "}]}"),
      "quantizer": (#"{"name": "a", "rules": [{"quantizer": "#, "}]}"),
      "transform": (
        #"{"name": "a", "rules": [{"quantizer": {"format": "mxfp4", "transform": "#, "}}]}"
      ),
      "delayed_scaling": (
        #"{"name": "a", "rules": [{"quantizer": {"format": "fp8_e4m3_tensor", "delayed_scaling": "#,
        "}}]}"
      ),
    ]
    for (object, keys) in objects {
      let (head, tail) = try #require(around[object])
      let error = #expect(throws: RecipeError.self) {
        try Recipe(json: head + #"{"no such key": 1}"# + tail)
      }
      guard case .unknownKey("no such key", _, let known) = error else {
        Issue.record("\(object): \(error?.description ?? "no error")")
        continue
      }
      #expect(known == keys.map(\.key))
      #expect(keys.allSatisfy { !$0.values.isEmpty && !$0.meaning.isEmpty })
    }
  }

  @Test("What the list of keys says of a missing key is what the reader does")
  func missingKeys() throws {
    let format = SharedExponentFormat.mxfp4
    let policy = format.defaultPolicy
    let full = [
      "format": "\"mxfp4\"", "scale_rule": "\"\(policy.scaleRule.id)\"",
      "rounding": "\"\(policy.rounding.id)\"", "overflow": "\"\(policy.overflow.id)\"",
      "non_finite": "\"\(policy.nonFinite.id)\"", "scale_floor": "\"\(policy.scaleFloor.id)\"",
      "zero_block": "\"\(policy.zeroBlock.id)\"", "source": "\"fp32\"", "premultiplier": "1",
    ]
    for key in Recipe.jsonKeys where key.object == "quantizer" && key.key != "random_bits" {
      let members = full.filter { $0.key != key.key }
        .map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
      let json = #"{"name": "a", "rules": [{"quantizer": {"# + members + "}}]}"
      guard key.absence != nil else {
        #expect(throws: RecipeError.missingKey(key.key, at: "recipe.rules[0].quantizer")) {
          try Recipe(json: json)
        }
        continue
      }
      #expect(
        try Recipe(json: json).rules[0].choice == .block(BlockQuantization(format)), "\(key.key)")
    }
    let usual = DelayedScaling()
    let absences = Recipe.jsonKeys.filter { $0.object == "delayed_scaling" }.map(\.absence)
    #expect(absences == ["\(usual.historyLength)", "\(usual.margin)", usual.amax.rawValue])
  }

  @Test("Wrong keys and values are refused with their path and what is accepted")
  func errors() {
    let cases: [(String, String)] = [
      ("[]", "recipe: an array is not valid; expected an object"),
      (
        #"{"name": "a", "rules": [], "rule": 1}"#,
        "recipe: unknown key 'rule'; known are name, source, notes, base, rules"
      ),
      (#"{"rules": []}"#, "recipe: 'name' is missing"),
      (#"{"name": "", "rules": []}"#, "recipe.name: '' is not valid; expected a name"),
      (#"{"name": 3, "rules": []}"#, "recipe.name: 3 is not valid; expected a string"),
      (#"{"name": "a"}"#, "recipe: 'rules' is missing"),
      (
        #"{"name": "a", "rules": {}}"#,
        "recipe.rules: an object is not valid; expected an array of rules"
      ),
      (#"{"name": "a", "rules": [{}]}"#, "recipe.rules[0]: 'quantizer' is missing"),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "layer": []}]}"#,
        "recipe.rules[0]: unknown key 'layer'; known are layers, names, blocks, tensors, products, "
          + "quantizer"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp64"}]}"#,
        "recipe.rules[0].quantizer: 'fp64' is not valid; expected 'fp32', 'bf16' or an object with "
          + "a format"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "tensors": []}]}"#,
        "recipe.rules[0].tensors: [] is not valid; expected at least one"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "products": ["fprop"]}]}"#,
        "recipe.rules[0].products: 'fprop' is not valid; expected one of forward, input_gradient, "
          + "weight_gradient"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": {"first": 1, "last": 1}}]}"#,
        "recipe.rules[0].blocks: 2 keys is not valid; expected exactly one of first, last, "
          + "last_percent, only"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": {"last_percent": 1.5}}]}"#,
        "recipe.rules[0].blocks.last_percent: 1.5 is not valid; expected an integer in 1...100"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": {"first": 0}}]}"#,
        "recipe.rules[0].blocks.first: 0 is not valid; expected an integer in 1...1000000"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "blocks": {"only": []}}]}"#,
        "recipe.rules[0].blocks.only: [] is not valid; expected at least one"
      ),
      (
        #"{"name": "a", "rules": [{"quantizer": "fp32", "names": []}]}"#,
        "recipe.rules[0].names: [] is not valid; expected at least one"
      ),
      (
        #"{"name": "a", "base": "nv", "rules": []}"#,
        "recipe.base: 'nv' is not valid; expected one of fp32, "
      ),
    ]
    for (json, message) in cases {
      let error = #expect(throws: RecipeError.self) { try Recipe(json: json) }
      #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? json)")
    }
  }

  @Test("Wrong quantizers are refused with their path and what is accepted")
  func quantizerErrors() {
    let cases: [(String, String)] = [
      ("{}", ": 'format' is missing"),
      (
        #"{"format": "mxfp5"}"#,
        ".format: 'mxfp5' is not valid; expected a format id: unknown format"
      ),
      (
        #"{"format": "mxfp4", "scale": 1}"#, ": unknown key 'scale'; known are format, scale_rule, "
      ),
      (
        #"{"format": "nvfp4", "scale_rule": "floor"}"#,
        ".scale_rule: 'floor' is not valid; expected one of amax, four_over_six"
      ),
      (
        #"{"format": "mxfp4", "rounding": "even"}"#,
        ".rounding: 'even' is not valid; expected one of nearest_even, "
      ),
      (
        #"{"format": "mxfp4", "random_bits": 8}"#,
        ".random_bits: the value is not valid; expected none where rounding is not stochastic"
      ),
      (
        #"{"format": "mxfp4", "rounding": "stochastic", "random_bits": 33}"#,
        ".random_bits: 33 is not valid; expected an integer in 1...32"
      ),
      (
        #"{"format": "mxfp4", "transform": {"hadamard": 24}}"#,
        ".transform.hadamard: 24 is not valid; expected a power of two"
      ),
      (#"{"format": "mxfp4", "transform": {}}"#, ".transform: 'hadamard' is missing"),
      (
        #"{"format": "mxfp4", "premultiplier": 3}"#,
        ".premultiplier: the value is not valid; expected another: 3.0 is outside 0.5...2"
      ),
      (
        #"{"format": "mxfp4", "premultiplier": 1e400}"#,
        ".premultiplier: 1e400 is not valid; expected a number that FP32 holds"
      ),
      (
        #"{"format": "mxfp4", "premultiplier": 1e-60}"#,
        ".premultiplier: 1e-60 is not valid; expected a number that FP32 holds"
      ),
      (
        #"{"format": "mxfp4", "delayed_scaling": {}}"#,
        ".delayed_scaling: the value is not valid; expected another: mxfp4 does not have one FP32 "
          + "scale for the whole tensor"
      ),
      (
        #"{"format": "fp8_e4m3_tensor", "delayed_scaling": {"history": 0}}"#,
        ".delayed_scaling.history: 0 is not valid; expected an integer in 1...1048576"
      ),
    ]
    for (quantizer, message) in cases {
      let json = #"{"name": "a", "rules": [{"quantizer": "# + quantizer + "}]}"
      let error = #expect(throws: RecipeError.self) { try Recipe(json: json) }
      let expected = "recipe.rules[0].quantizer" + message
      #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? json)")
    }
  }

  @Test("Truncated and damaged texts are refused or read, never fatal")
  func damaged() throws {
    let json = Recipe.quartet.json
    let bytes = Array(json.utf8)
    for count in stride(from: 0, to: bytes.count - 2, by: 11) {
      let part = String(decoding: bytes[..<count], as: UTF8.self)
      #expect(throws: RecipeError.self) { try Recipe(json: part) }
    }
    var generator = SeededGenerator(seed: 1)
    var refused = 0
    for _ in 0..<200 {
      var other = bytes
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      other[position] = UInt8.random(in: 0...127, using: &generator)
      do throws(RecipeError) {
        _ = try Recipe(json: String(decoding: other, as: UTF8.self))
      } catch {
        #expect(!error.description.isEmpty)
        refused += 1
      }
    }
    #expect(refused > 50)
  }

  @Test("Text that is not JSON is refused with line and column")
  func syntax() {
    let cases: [(String, Int, Int, String)] = [
      ("", 1, 1, "expected a value"), ("{\n  \"name\" 3}", 2, 10, "expected ':'"),
      ("{} x", 1, 4, "text after the value"), (#"{"a": 01}"#, 1, 9, "a number with a leading zero"),
      (#"{"a": [1 2]}"#, 1, 10, "expected ',' or ']'"),
      (#"{"a": [1,]}"#, 1, 10, "expected a value"),
      (#"{"a": tru}"#, 1, 7, "expected true"), (#"{"a": "b"#, 1, 9, "a string without end"),
      (#"{"a": "\x"}"#, 1, 10, "an unknown escape"), (#"{a: 1}"#, 1, 2, "expected a key"),
      ("\"a\nb\"", 1, 3, "a control character in a string"), ("-", 1, 2, "expected a digit"),
      (#""\uD800""#, 1, 8, "half of a surrogate pair"),
      (#""\u12G4""#, 1, 4, "expected four hexadecimal digits"),
      (String(repeating: "[", count: 17), 1, 17, "nesting is too deep"),
    ]
    for (json, line, column, reason) in cases {
      let error = #expect(throws: RecipeError.self) { try Recipe(json: json) }
      if case .syntax(let atLine, let atColumn, let why) = error {
        #expect((why, atLine, atColumn) == (reason, line, column), "\(json)")
      } else {
        Issue.record("\(json): \(error?.description ?? "no error")")
      }
    }
    #expect(throws: RecipeError.duplicateKey("name", at: "recipe")) {
      try Recipe(json: #"{"name": "a", "name": "b", "rules": []}"#)
    }
  }
}
