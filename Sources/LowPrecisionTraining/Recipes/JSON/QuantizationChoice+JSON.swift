import BlockFormats

extension QuantizationChoice {
  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    switch value {
    case .string("fp32"): self = .float32
    case .string("bf16"): self = .bfloat16
    case .object: self = .block(try BlockQuantization(value, at: path))
    default:
      throw .badValue(value.kind, at: path, expected: "'fp32', 'bf16' or an object with a format")
    }
  }

  var jsonValue: JSONValue {
    switch self {
    case .float32: .string("fp32")
    case .bfloat16: .string("bf16")
    case .block(let quantization): quantization.jsonValue
    }
  }
}

extension BlockQuantization {
  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject(
      value, at: path,
      known: [
        "format", "scale_rule", "rounding", "random_bits", "overflow", "non_finite", "scale_floor",
        "zero_block", "transform", "source", "premultiplier", "delayed_scaling",
      ])
    let format = try BlockQuantization.format(object)
    let policy = try BlockQuantization.policy(object, format)
    let bits = try BlockQuantization.stochasticBitCount(object)
    let premultiplier = try object.float("premultiplier") ?? 1
    let scaling = try TensorScaling(object)
    let problem = BlockQuantization.problem(format, policy, bits, premultiplier, scaling)
    if let (key, reason) = problem {
      throw .badValue("the value", at: object.path(of: key), expected: "another: \(reason)")
    }
    self.init(
      format, policy: policy, stochasticBitCount: bits, transform: try OperandTransform(object),
      source: try object.choice("source", among: SourcePrecision.allCases) { $0.rawValue }
        ?? .float32,
      premultiplier: premultiplier, scaling: scaling)
  }

  private static func format(_ object: JSONObject) throws(RecipeError) -> any BlockFormat {
    guard let id = try object.string("format") else {
      throw .missingKey("format", at: object.path)
    }
    do throws(FormatNameError) {
      return try FormatCatalog.format(id: id)
    } catch {
      throw .badValue(
        "'\(id)'", at: object.path(of: "format"), expected: "a format id: \(error)")
    }
  }

  private static func policy(
    _ object: JSONObject, _ format: any BlockFormat
  ) throws(RecipeError) -> EncodingPolicy {
    var policy = format.defaultPolicy
    if let rule = try object.choice("scale_rule", among: format.scaleRules, { $0.id }) {
      policy.scaleRule = rule
    }
    let rounding = try object.choice(
      "rounding", among: RoundingRule.deterministic.map(\.id) + [stochastic], { $0 })
    if let rule = RoundingRule.deterministic.first(where: { $0.id == rounding }) {
      policy.rounding = rule
    }
    if let rule = try object.choice("overflow", among: OverflowRule.allCases, { $0.id }) {
      policy.overflow = rule
    }
    if let rule = try object.choice("non_finite", among: NonFiniteRule.allCases, { $0.id }) {
      policy.nonFinite = rule
    }
    if let floor = try object.choice("scale_floor", among: ScaleFloor.allCases, { $0.id }) {
      policy.scaleFloor = floor
    }
    if let rule = try object.choice("zero_block", among: ZeroBlockRule.allCases, { $0.id }) {
      policy.zeroBlock = rule
    }
    return policy
  }

  private static func stochasticBitCount(_ object: JSONObject) throws(RecipeError) -> Int? {
    let bits = try object.integer("random_bits", in: 1...32)
    guard object.value("rounding") == .string(stochastic) else {
      guard bits == nil else {
        throw .badValue(
          "the value", at: object.path(of: "random_bits"),
          expected: "none where rounding is not stochastic")
      }
      return nil
    }
    return bits ?? 32
  }

  private static let stochastic = "stochastic"

  var jsonValue: JSONValue {
    .members([
      "format": .string(format.id), "scale_rule": .string(policy.scaleRule.id),
      "rounding": .string(
        stochasticBitCount == nil ? policy.rounding.id : BlockQuantization.stochastic),
      "random_bits": stochasticBitCount.map { .number("\($0)") },
      "overflow": .string(policy.overflow.id), "non_finite": .string(policy.nonFinite.id),
      "scale_floor": .string(policy.scaleFloor.id), "zero_block": .string(policy.zeroBlock.id),
      "transform": transform.map {
        .members(["hadamard": .number("\($0.length)"), "signs": .string($0.signs.rawValue)])
      },
      "source": source == .float32 ? nil : .string(source.rawValue),
      "premultiplier": premultiplier == 1 ? nil : .number("\(premultiplier)"),
      "delayed_scaling": scaling.jsonValue,
    ])
  }
}

extension OperandTransform {
  /// The transform under the key `transform`, if there is one.
  fileprivate init?(_ object: JSONObject) throws(RecipeError) {
    guard let value = object.value("transform") else { return nil }
    let own = try JSONObject(
      value, at: object.path(of: "transform"), known: ["hadamard", "signs"])
    guard let length = try own.integer("hadamard", in: 2...128) else {
      throw .missingKey("hadamard", at: own.path)
    }
    guard HadamardTransform.lengths.contains(length) else {
      throw .badValue("\(length)", at: own.path(of: "hadamard"), expected: "a power of two")
    }
    self.init(
      length: length,
      signs: try own.choice("signs", among: Signs.allCases) { $0.rawValue } ?? .perRun)
  }
}

extension TensorScaling {
  /// The scaling under the key `delayed_scaling`; current if there is none.
  fileprivate init(_ object: JSONObject) throws(RecipeError) {
    guard let value = object.value("delayed_scaling") else {
      self = .current
      return
    }
    let own = try JSONObject(
      value, at: object.path(of: "delayed_scaling"), known: ["history", "margin", "amax"])
    self = .delayed(
      DelayedScaling.Parameters(
        historyLength: try own.integer("history", in: DelayedScaling.Parameters.historyLengths)
          ?? 1024,
        margin: try own.integer("margin", in: DelayedScaling.Parameters.margins) ?? 0,
        amax: try own.choice("amax", among: DelayedScaling.Amax.allCases) { $0.rawValue } ?? .max))
  }

  fileprivate var jsonValue: JSONValue? {
    guard case .delayed(let parameters) = self else { return nil }
    return .members([
      "history": .number("\(parameters.historyLength)"),
      "margin": .number("\(parameters.margin)"), "amax": .string(parameters.amax.rawValue),
    ])
  }
}
