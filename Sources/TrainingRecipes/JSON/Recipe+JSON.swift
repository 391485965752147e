import StrictJSON

/// Recipes as JSON: `jsonKeys` lists every key, `jsonExample` is a recipe to read.
///
/// Names of layers, tensors and products are the raw values of `LayerKind`, `TensorRole` and
/// `ProductRole`, and `"layers": ["projections"]` stands for `LayerKind.projections`; those of
/// policies are their ids. Unknown and repeated keys are refused.
extension Recipe: RecipePart {
  static let path = RecipeObjectKey.object

  /// A recipe that changes a preset, for documentation.
  public static let jsonExample = """
    {
      "name": "mine",
      "source": "an experiment",
      "base": "nvfp4_no_bf16_layers",
      "rules": [
        {"layers": ["mlp_up", "mlp_down"], "tensors": ["weight"],
         "quantizer": {"format": "nvfp4", "rounding": "nearest_even"}},
        {"layers": ["attention_qkv"], "products": ["weight_gradient"],
         "quantizer": {"format": "mxfp4", "scale_rule": "rceil", "rounding": "stochastic",
                       "transform": {"hadamard": 32, "signs": "per_step"}}},
        {"names": ["blocks.0.attention.output"], "quantizer": "fp32"},
        {"blocks": {"last_percent": 15}, "quantizer": "bf16"}
      ]
    }
    """

  /// Reads a recipe; `check(_:)` tells whether it suits a model.
  ///
  /// - Parameter json: the text.
  public init(json: String) throws(RecipeError) {
    try self.init(try Self.value(of: json), at: Recipe.path)
  }

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<RecipeObjectKey>(value, at: path)
    guard let name = try object.string(.name) else {
      throw .missingKey(RecipeObjectKey.name.rawValue, at: object.path)
    }
    guard !name.isEmpty else {
      throw .badValue("''", at: object.path(of: .name), expected: "a name")
    }
    let base = try object.choice(.base, among: Recipe.catalog) { $0.name }
    guard let values = try object.array(.rules, of: "rules") else {
      throw .missingKey(RecipeObjectKey.rules.rawValue, at: object.path)
    }
    var rules = base?.rules ?? []
    for (index, value) in values.enumerated() {
      rules.append(try RecipeRule(value, at: "\(object.path(of: .rules))[\(index)]"))
    }
    self.init(
      name: name, source: try object.string(.source) ?? base?.source ?? "user",
      notes: (base?.notes ?? []) + (try object.strings(.notes) ?? []), rules: rules)
  }

  /// The deepest nesting accepted; a recipe needs five levels.
  private static let depthLimit = 16

  private static func value(of json: String) throws(RecipeError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(reading: json, depthLimit: depthLimit)
    } catch {
      throw RecipeError(error, in: json)
    }
  }

  /// The recipe as JSON with every rule and choice written out; reads back as an equal recipe if
  /// its formats are those of the catalog.
  public var json: String {
    jsonValue.text(.indented(), escaping: .controlsByNumber) + "\n"
  }

  var jsonValue: JSONValue {
    let keys: KeyValuePairs<RecipeObjectKey, JSONValue?> = [
      .name: .string(name), .source: .string(source),
      .notes: notes.isEmpty ? nil : .array(notes.map(JSONValue.string)),
      .rules: .array(rules.map(\.jsonValue)),
    ]
    return .members(keys)
  }
}

extension RecipeRule: RecipePart {
  static let path = RuleKey.object

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<RuleKey>(value, at: path)
    let blocks = object.value(.blocks)
    let isGroup = try object.strings(.layers) == [RuleKey.projections]
    let names = try object.strings(.names)
    guard names?.isEmpty != true else {
      throw .badValue("[]", at: object.path(of: .names), expected: "at least one")
    }
    self.init(
      try QuantizationChoice(try object.required(.quantizer), at: object.path(of: .quantizer)),
      layers: isGroup ? LayerKind.projections : try object.choices(.layers, among: LayerKind.self),
      blocks: try blocks.map { value throws(RecipeError) in
        try BlockSelector(value, at: object.path(of: .blocks))
      },
      names: names, tensors: try object.choices(.tensors, among: TensorRole.self),
      products: try object.choices(.products, among: ProductRole.self))
  }

  var jsonValue: JSONValue {
    let isGroup = layers == Set(LayerKind.projections)
    func list<Choice: CaseIterable & RawRepresentable & Hashable>(
      _ set: Set<Choice>?
    ) -> JSONValue? where Choice.RawValue == String {
      set.map { set in .array(Choice.allCases.filter(set.contains).map { .string($0.rawValue) }) }
    }
    let keys: KeyValuePairs<RuleKey, JSONValue?> = [
      .layers: isGroup ? .array([.string(RuleKey.projections)]) : list(layers),
      .names: names.map { .array($0.sorted().map(JSONValue.string)) },
      .blocks: blocks?.jsonValue, .tensors: list(tensors), .products: list(products),
      .quantizer: choice.jsonValue,
    ]
    return .members(keys)
  }
}

extension BlockSelector: RecipePart {
  static let path = BlocksKey.object

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<BlocksKey>(value, at: path)
    guard object.count == 1 else {
      throw .badValue(
        "\(object.count) keys", at: path,
        expected: "exactly one of " + BlocksKey.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if let count = try object.integer(.first, in: BlocksKey.counts) {
      self = .first(count)
    } else if let count = try object.integer(.last, in: BlocksKey.counts) {
      self = .last(count)
    } else if let percent = try object.integer(.lastPercent, in: BlocksKey.percents) {
      self = .lastPercent(percent)
    } else {
      let path = object.path(of: .only)
      var numbers: Set<Int> = []
      for element in try object.array(.only, of: "block numbers") ?? [] {
        numbers.insert(try element.integer(in: BlocksKey.numbers, at: path))
      }
      guard !numbers.isEmpty else { throw .badValue("[]", at: path, expected: "at least one") }
      self = .only(numbers)
    }
  }

  var jsonValue: JSONValue {
    func object(_ key: BlocksKey, _ value: JSONValue) -> JSONValue {
      .object([JSONValue.Member(key.rawValue, value)])
    }
    return switch self {
    case .first(let count): object(.first, .number("\(count)"))
    case .last(let count): object(.last, .number("\(count)"))
    case .lastPercent(let percent): object(.lastPercent, .number("\(percent)"))
    case .only(let numbers): object(.only, .array(numbers.sorted().map { .number("\($0)") }))
    }
  }
}
