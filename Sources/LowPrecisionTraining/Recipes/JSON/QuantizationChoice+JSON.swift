import BlockFormats
import StrictJSON

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
    let object = try JSONObject<QuantizerKey>(value, at: path)
    let format = try BlockQuantization.format(object)
    let policy = try BlockQuantization.policy(object, format)
    let bits = try BlockQuantization.stochasticBitCount(object)
    let premultiplier = try object.float(.premultiplier) ?? 1
    let scaling = try TensorScaling(object)
    let problem = BlockQuantization.problem(format, policy, bits, premultiplier, scaling)
    if let (key, reason) = problem {
      throw .badValue("the value", at: object.path(of: key), expected: "another: \(reason)")
    }
    self.init(
      format, policy: policy, stochasticBitCount: bits, transform: try OperandTransform(object),
      source: try object.choice(.source, among: SourcePrecision.allCases) { $0.rawValue }
        ?? .float32,
      premultiplier: premultiplier, scaling: scaling)
  }

  private static func format(
    _ object: JSONObject<QuantizerKey>
  ) throws(RecipeError) -> any BlockFormat {
    guard let id = try object.string(.format) else {
      throw .missingKey(QuantizerKey.format.rawValue, at: object.path)
    }
    do throws(FormatNameError) {
      return try FormatCatalog.format(id: id)
    } catch {
      throw .badValue(
        "'\(id)'", at: object.path(of: .format), expected: "a format id: \(error)")
    }
  }

  private static func policy(
    _ object: JSONObject<QuantizerKey>, _ format: any BlockFormat
  ) throws(RecipeError) -> EncodingPolicy {
    var policy = format.defaultPolicy
    if let rule = try object.choice(.scaleRule, among: format.scaleRules, { $0.id }) {
      policy.scaleRule = rule
    }
    let rounding = try object.choice(
      .rounding, among: RoundingRule.deterministic.map(\.id) + [QuantizerKey.stochastic], { $0 })
    if let rule = RoundingRule.deterministic.first(where: { $0.id == rounding }) {
      policy.rounding = rule
    }
    if let rule = try object.choice(.overflow, among: OverflowRule.allCases, { $0.id }) {
      policy.overflow = rule
    }
    if let rule = try object.choice(.nonFinite, among: NonFiniteRule.allCases, { $0.id }) {
      policy.nonFinite = rule
    }
    if let floor = try object.choice(.scaleFloor, among: ScaleFloor.allCases, { $0.id }) {
      policy.scaleFloor = floor
    }
    if let rule = try object.choice(.zeroBlock, among: ZeroBlockRule.allCases, { $0.id }) {
      policy.zeroBlock = rule
    }
    return policy
  }

  private static func stochasticBitCount(
    _ object: JSONObject<QuantizerKey>
  ) throws(RecipeError) -> Int? {
    let bits = try object.integer(.randomBits, in: QuantizerKey.randomBitCounts)
    guard object.value(.rounding) == .string(QuantizerKey.stochastic) else {
      guard bits == nil else {
        throw .badValue(
          "the value", at: object.path(of: .randomBits),
          expected: "none where rounding is not stochastic")
      }
      return nil
    }
    return bits ?? 32
  }

  var jsonValue: JSONValue {
    let keys: KeyValuePairs<QuantizerKey, JSONValue?> = [
      .format: .string(format.id), .scaleRule: .string(policy.scaleRule.id),
      .rounding: .string(
        stochasticBitCount == nil ? policy.rounding.id : QuantizerKey.stochastic),
      .randomBits: stochasticBitCount.map { .number("\($0)") },
      .overflow: .string(policy.overflow.id), .nonFinite: .string(policy.nonFinite.id),
      .scaleFloor: .string(policy.scaleFloor.id), .zeroBlock: .string(policy.zeroBlock.id),
      .transform: transform?.jsonValue,
      .source: source == .float32 ? nil : .string(source.rawValue),
      .premultiplier: premultiplier == 1 ? nil : .number("\(premultiplier)"),
      .delayedScaling: scaling.jsonValue,
    ]
    return .members(keys)
  }
}

extension OperandTransform {
  /// The transform under the key `transform`, if there is one.
  fileprivate init?(_ object: JSONObject<QuantizerKey>) throws(RecipeError) {
    guard let value = object.value(.transform) else { return nil }
    let own = try JSONObject<TransformKey>(value, at: object.path(of: .transform))
    guard let length = try own.integer(.hadamard, in: 2...128) else {
      throw .missingKey(TransformKey.hadamard.rawValue, at: own.path)
    }
    guard HadamardTransform.lengths.contains(length) else {
      throw .badValue("\(length)", at: own.path(of: .hadamard), expected: "a power of two")
    }
    self.init(
      length: length,
      signs: try own.choice(.signs, among: Signs.allCases) { $0.rawValue } ?? .perRun)
  }

  fileprivate var jsonValue: JSONValue {
    let keys: KeyValuePairs<TransformKey, JSONValue?> = [
      .hadamard: .number("\(length)"), .signs: .string(signs.rawValue),
    ]
    return .members(keys)
  }
}

extension TensorScaling {
  /// The scaling under the key `delayed_scaling`; current if there is none.
  fileprivate init(_ object: JSONObject<QuantizerKey>) throws(RecipeError) {
    guard let value = object.value(.delayedScaling) else {
      self = .current
      return
    }
    let own = try JSONObject<DelayedScalingKey>(value, at: object.path(of: .delayedScaling))
    let usual = DelayedScaling.Parameters()
    self = .delayed(
      DelayedScaling.Parameters(
        historyLength: try own.integer(.history, in: DelayedScaling.Parameters.historyLengths)
          ?? usual.historyLength,
        margin: try own.integer(.margin, in: DelayedScaling.Parameters.margins) ?? usual.margin,
        amax: try own.choice(.amax, among: DelayedScaling.Amax.allCases) { $0.rawValue }
          ?? usual.amax))
  }

  fileprivate var jsonValue: JSONValue? {
    guard case .delayed(let parameters) = self else { return nil }
    let keys: KeyValuePairs<DelayedScalingKey, JSONValue?> = [
      .history: .number("\(parameters.historyLength)"),
      .margin: .number("\(parameters.margin)"), .amax: .string(parameters.amax.rawValue),
    ]
    return .members(keys)
  }
}
