import BlockFormats
import StrictJSON

extension QuantizationChoice: RecipePart {
  static let path = QuantizerKey.object

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

extension BlockQuantization: RecipePart {
  static let path = QuantizerKey.object

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<QuantizerKey>(value, at: path)
    let format = try BlockQuantization.format(object)
    let policy = try BlockQuantization.policy(object, format)
    let bits = try BlockQuantization.stochasticBitCount(object)
    let premultiplier = try object.float(.premultiplier) ?? 1
    let scaling = try object.value(.delayedScaling).map { value throws(RecipeError) in
      TensorScaling.delayed(try DelayedScaling(value, at: object.path(of: .delayedScaling)))
    }
    if let problem = Problem(format, policy, bits, premultiplier, scaling ?? .current) {
      throw .badValue(
        "the value", at: object.path(of: QuantizerKey(problem.aspect)),
        expected: "another: \(problem.reason)")
    }
    let transform = try object.value(.transform).map { value throws(RecipeError) in
      try OperandTransform(value, at: object.path(of: .transform))
    }
    self.init(
      format, policy: policy, stochasticBitCount: bits, transform: transform,
      source: try object.choice(.source, among: SourcePrecision.allCases) { $0.rawValue }
        ?? .float32,
      premultiplier: premultiplier, scaling: scaling ?? .current)
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
    for (key, aspect) in QuantizerKey.aspects {
      let ids =
        aspect == .rounding
        ? QuantizerKey.roundings
        : aspect.alternatives(scaleRules: format.scaleRules).map(\.id)
      // Stochastic rounding takes its source from the run.
      guard let id = try object.choice(key, among: ids, { $0 }), id != QuantizerKey.stochastic
      else { continue }
      _ = aspect.choose(id, in: &policy, scaleRules: format.scaleRules)
    }
    return policy
  }

  private static func stochasticBitCount(
    _ object: JSONObject<QuantizerKey>
  ) throws(RecipeError) -> Int? {
    let bits = try object.integer(.randomBits, in: randomBitCounts)
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
    var members = [JSONValue.Member(QuantizerKey.format.rawValue, .string(format.id))]
    for (key, aspect) in QuantizerKey.aspects {
      let isDrawn = aspect == .rounding && stochasticBitCount != nil
      let id = isDrawn ? QuantizerKey.stochastic : aspect.chosen(in: policy).id
      members.append(JSONValue.Member(key.rawValue, .string(id)))
      if isDrawn, let stochasticBitCount {
        members.append(
          JSONValue.Member(QuantizerKey.randomBits.rawValue, .number("\(stochasticBitCount)")))
      }
    }
    let rest: KeyValuePairs<QuantizerKey, JSONValue?> = [
      .transform: transform?.jsonValue,
      .source: source == .float32 ? nil : .string(source.rawValue),
      .premultiplier: premultiplier == 1 ? nil : .number("\(premultiplier)"),
      .delayedScaling: scaling.delayed?.jsonValue,
    ]
    members += rest.compactMap { key, value in
      value.map { JSONValue.Member(key.rawValue, $0) }
    }
    return .object(members)
  }
}

extension QuantizerKey {
  /// The key of a choice that does not fit.
  fileprivate init(_ aspect: BlockQuantization.Problem.Aspect) {
    switch aspect {
    case .scaleRule: self = .scaleRule
    case .rounding: self = .rounding
    case .unfollowed(let aspect): self = QuantizerKey(rawValue: aspect.key) ?? .format
    case .randomBitCount: self = .randomBits
    case .premultiplier: self = .premultiplier
    case .scaling: self = .delayedScaling
    }
  }
}

extension TensorScaling {
  /// How the scale follows from earlier steps, if it does.
  fileprivate var delayed: DelayedScaling? {
    if case .delayed(let scaling) = self { scaling } else { nil }
  }
}

extension OperandTransform: RecipePart {
  static let path = TransformKey.object

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<TransformKey>(value, at: path)
    guard let length = try object.integer(.hadamard, in: TransformKey.lengths) else {
      throw .missingKey(TransformKey.hadamard.rawValue, at: object.path)
    }
    guard OperandTransform.lengths.contains(length) else {
      throw .badValue("\(length)", at: object.path(of: .hadamard), expected: "a power of two")
    }
    self.init(
      length: length,
      signs: try object.choice(.signs, among: Signs.allCases) { $0.rawValue } ?? .perRun)
  }

  var jsonValue: JSONValue {
    let keys: KeyValuePairs<TransformKey, JSONValue?> = [
      .hadamard: .number("\(length)"), .signs: .string(signs.rawValue),
    ]
    return .members(keys)
  }
}

extension DelayedScaling: RecipePart {
  static let path = DelayedScalingKey.object

  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    let object = try JSONObject<DelayedScalingKey>(value, at: path)
    let usual = DelayedScaling()
    self.init(
      historyLength: try object.integer(.history, in: DelayedScaling.historyLengths)
        ?? usual.historyLength,
      margin: try object.integer(.margin, in: DelayedScaling.margins) ?? usual.margin,
      amax: try object.choice(.amax, among: Amax.allCases) { $0.rawValue } ?? usual.amax)
  }

  var jsonValue: JSONValue {
    let keys: KeyValuePairs<DelayedScalingKey, JSONValue?> = [
      .history: .number("\(historyLength)"), .margin: .number("\(margin)"),
      .amax: .string(amax.rawValue),
    ]
    return .members(keys)
  }
}
