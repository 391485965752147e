/// Recipes as JSON.
///
/// ```json
/// {
///   "name": "mine",
///   "source": "an experiment",
///   "base": "nvfp4_no_bf16_layers",
///   "rules": [
///     {"layers": ["mlp_up", "mlp_down"], "tensors": ["weight"],
///      "quantizer": {"format": "nvfp4", "rounding": "nearest_even"}},
///     {"layers": ["attention_qkv"], "products": ["weight_gradient"],
///      "quantizer": {"format": "mxfp4", "scale_rule": "rceil", "rounding": "stochastic",
///                    "transform": {"hadamard": 32, "signs": "per_step"}}},
///     {"blocks": {"last_percent": 15}, "quantizer": "bf16"}
///   ]
/// }
/// ```
///
/// - A recipe has `name` and `rules`; if wanted `source`, `notes` (strings) and `base`, a preset
///   whose rules come first.
/// - A rule has `quantizer`; if wanted `layers`, `names`, `tensors`, `products` (arrays; all if
///   missing) and `blocks`.
/// - `blocks` has exactly one of `first`, `last`, `last_percent` and `only` (an array of numbers
///   from 0).
/// - `quantizer` is `"fp32"`, `"bf16"` or an object with `format`, an id of the format catalog; if
///   wanted `scale_rule`, `rounding` (or `"stochastic"`), `random_bits` (32), `overflow`,
///   `non_finite`, `scale_floor`, `zero_block`, `transform`, `source` (`fp32` or `bf16`),
///   `premultiplier` (1) and `delayed_scaling`.
/// - `transform` has `hadamard`, 2, 4, ... or 128, and `signs`: `positive`, `per_run` (the default)
///   or `per_step`.
/// - `delayed_scaling` has `history` (1024), `margin` (0) and `amax`: `max` (the default) or
///   `most_recent`.
///
/// Names of layers, tensors and products are the raw values of `LayerKind`, `TensorRole` and
/// `ProductRole`, and `"layers": ["projections"]` stands for `LayerKind.projections`; those of
/// policies are their ids. What a quantizer leaves out is the format's default. Unknown and
/// repeated keys are refused.
extension Recipe {
  /// Reads a recipe; `check(_:)` tells whether it suits a model.
  ///
  /// - Parameter json: the text.
  public init(json: String) throws(RecipeError) {
    let object = try JSONObject(
      try JSONParser.parse(json), at: "recipe",
      known: ["name", "source", "notes", "base", "rules"])
    guard let name = try object.string("name") else { throw .missingKey("name", at: "recipe") }
    guard !name.isEmpty else { throw .badValue("''", at: "recipe.name", expected: "a name") }
    let base = try object.choice("base", among: Recipe.catalog) { $0.name }
    guard let values = try object.array("rules", of: "rules") else {
      throw .missingKey("rules", at: "recipe")
    }
    var rules = base?.rules ?? []
    for (index, value) in values.enumerated() {
      rules.append(try RecipeRule(value, at: "recipe.rules[\(index)]"))
    }
    self.init(
      name: name, source: try object.string("source") ?? base?.source ?? "user",
      notes: (base?.notes ?? []) + (try object.strings("notes") ?? []), rules: rules)
  }

  /// The recipe as JSON with every rule and choice written out; reads back as an equal recipe if
  /// its formats are those of the catalog.
  public var json: String {
    JSONValue.members([
      "name": .string(name), "source": .string(source),
      "notes": notes.isEmpty ? nil : .array(notes.map(JSONValue.string)),
      "rules": .array(rules.map(\.jsonValue)),
    ]).text() + "\n"
  }
}

extension RecipeRule {
  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject(
      value, at: path, known: ["layers", "names", "blocks", "tensors", "products", "quantizer"])
    let blocks = object.value("blocks")
    let isGroup = try object.strings("layers") == [RecipeRule.projections]
    self.init(
      try QuantizationChoice(try object.required("quantizer"), at: object.path(of: "quantizer")),
      layers: isGroup
        ? LayerKind.projections : try object.choices("layers", among: LayerKind.self),
      blocks: try blocks.map { value throws(RecipeError) in
        try BlockSelector(value, at: object.path(of: "blocks"))
      },
      names: try object.strings("names"),
      tensors: try object.choices("tensors", among: TensorRole.self),
      products: try object.choices("products", among: ProductRole.self))
  }

  /// The name of the group of layers that narrow recipes quantize.
  private static let projections = "projections"

  var jsonValue: JSONValue {
    let isGroup = layers == Set(LayerKind.projections)
    func list<Choice: CaseIterable & RawRepresentable & Hashable>(
      _ set: Set<Choice>?
    ) -> JSONValue? where Choice.RawValue == String {
      set.map { set in .array(Choice.allCases.filter(set.contains).map { .string($0.rawValue) }) }
    }
    return .members([
      "layers": isGroup ? .array([.string(RecipeRule.projections)]) : list(layers),
      "names": names.map { .array($0.sorted().map(JSONValue.string)) },
      "blocks": blocks?.jsonValue, "tensors": list(tensors), "products": list(products),
      "quantizer": choice.jsonValue,
    ])
  }
}

extension BlockSelector {
  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject(
      value, at: path, known: ["first", "last", "last_percent", "only"])
    guard object.keys.count == 1 else {
      throw .badValue(
        "\(object.keys.count) keys", at: path,
        expected: "exactly one of first, last, last_percent, only")
    }
    let counts = 0...1_000_000
    if let count = try object.integer("first", in: counts) {
      self = .first(count)
    } else if let count = try object.integer("last", in: counts) {
      self = .last(count)
    } else if let percent = try object.integer("last_percent", in: 0...100) {
      self = .lastPercent(percent)
    } else {
      var indices: Set<Int> = []
      for element in try object.array("only", of: "block numbers") ?? [] {
        indices.insert(try JSONObject.integer(element, in: counts, at: object.path(of: "only")))
      }
      self = .only(indices)
    }
  }

  var jsonValue: JSONValue {
    switch self {
    case .first(let count): .members(["first": .number("\(count)")])
    case .last(let count): .members(["last": .number("\(count)")])
    case .lastPercent(let percent): .members(["last_percent": .number("\(percent)")])
    case .only(let indices):
      .members(["only": .array(indices.sorted().map { .number("\($0)") })])
    }
  }
}
