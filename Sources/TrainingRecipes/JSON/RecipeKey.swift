import BlockFormats

/// A key of one kind of object in a recipe's JSON: the reader knows these and no others, and the
/// reference lists them.
protocol RecipeKey: CaseIterable, RawRepresentable<String>, Hashable, Sendable {
  /// The kind of object, such as `rule`.
  static var object: String { get }
  /// What may stand there.
  var values: String { get }
  /// What holds where the key is missing; `nil` for keys that must be there.
  var absence: String? { get }
  /// What it decides.
  var meaning: String { get }
}

/// A key of a recipe's JSON, for tables.
public struct RecipeKeyDescription: Hashable, Sendable {
  /// The kind of object that has the key: recipe, rule, blocks, quantizer, transform or
  /// delayed_scaling.
  public let object: String
  /// The key.
  public let key: String
  /// What may stand there.
  public let values: String
  /// What holds where the key is missing; `nil` for keys that must be there.
  public let absence: String?
  /// What it decides.
  public let meaning: String
}

extension Recipe {
  /// Every key of a recipe's JSON, object after object.
  public static let jsonKeys: [RecipeKeyDescription] =
    descriptions(RecipeObjectKey.self) + descriptions(RuleKey.self) + descriptions(BlocksKey.self)
    + descriptions(QuantizerKey.self) + descriptions(TransformKey.self)
    + descriptions(DelayedScalingKey.self)

  private static func descriptions<Key: RecipeKey>(_ type: Key.Type) -> [RecipeKeyDescription] {
    type.allCases.map {
      RecipeKeyDescription(
        object: type.object, key: $0.rawValue, values: $0.values, absence: $0.absence,
        meaning: $0.meaning)
    }
  }
}

/// The keys of a whole recipe.
enum RecipeObjectKey: String, RecipeKey {
  case name, source, notes, base, rules

  static let object = "recipe"

  var values: String {
    switch self {
    case .name, .source: "a text"
    case .notes: "an array of texts"
    case .base: "the name of a preset"
    case .rules: "an array of rules"
    }
  }

  var absence: String? {
    switch self {
    case .name, .rules: nil
    case .source: "the base's, else user"
    case .notes: "the base's alone"
    case .base: "no base"
    }
  }

  var meaning: String {
    switch self {
    case .name: "names the recipe in reports, and its folder under --out"
    case .source: "where the recipe comes from"
    case .notes: "what to know about it"
    case .base: "a preset whose rules come before these"
    case .rules: "the last rule that matches an operand decides; without a match it stays in FP32"
    }
  }
}

/// The keys of a rule: conditions, which all must hold, and the choice.
enum RuleKey: String, RecipeKey {
  case layers, names, blocks, tensors, products, quantizer

  static let object = "rule"
  /// Stands for `LayerKind.projections`.
  static let projections = "projections"

  var values: String {
    switch self {
    case .layers: "an array of kinds of layers, or [\"\(RuleKey.projections)\"]"
    case .names: "an array of names of layers"
    case .blocks: "an object, see blocks"
    case .tensors: "an array of \(TensorRole.allCases.alternatives)"
    case .products: "an array of \(ProductRole.allCases.alternatives)"
    case .quantizer: "\"fp32\", \"bf16\" or an object, see quantizer"
    }
  }

  var absence: String? {
    switch self {
    case .layers: "all layers"
    case .names: "whatever the name"
    case .blocks: "all layers, in blocks or not"
    case .tensors: "all tensors"
    case .products: "all products"
    case .quantizer: nil
    }
  }

  var meaning: String {
    switch self {
    case .layers: "kinds of layers; a model may lack them"
    case .names: "single layers; each must be in the model"
    case .blocks: "some of the model's blocks, and no layers outside them"
    case .tensors: "the operands of products"
    case .products: "the products that read them"
    case .quantizer: "what becomes of the operands"
    }
  }
}

/// The keys of a selection of blocks, exactly one of which is there.
enum BlocksKey: String, RecipeKey {
  case first, last
  case lastPercent = "last_percent"
  case only

  static let object = "blocks"
  /// Block counts and numbers that make sense.
  static let counts = 1...1_000_000
  static let numbers = 0...1_000_000
  static let percents = 1...100

  var values: String {
    switch self {
    case .first, .last: "an integer from 1"
    case .lastPercent: "an integer from 1 to 100"
    case .only: "an array of numbers from 0"
    }
  }

  var absence: String? { "one of the others is there" }

  var meaning: String {
    switch self {
    case .first: "the number of blocks at the beginning; all of a model that has fewer"
    case .last: "the number of blocks at the end; all of a model that has fewer"
    case .lastPercent:
      "the last percent of the blocks, rounded down but at least one: 15 of 4 blocks are one, a quarter"
    case .only: "the blocks of these numbers; each must be in the model"
    }
  }
}

/// The keys of a block format with its choices.
enum QuantizerKey: String, RecipeKey {
  case format
  case scaleRule = "scale_rule"
  case rounding
  case randomBits = "random_bits"
  case overflow
  case nonFinite = "non_finite"
  case scaleFloor = "scale_floor"
  case zeroBlock = "zero_block"
  case zeroSign = "zero_sign"
  case scaleArithmetic = "scale_arithmetic"
  case transform, source, premultiplier
  case delayedScaling = "delayed_scaling"

  static let object = "quantizer"
  /// The rounding that takes random bits.
  static let stochastic = "stochastic"
  /// The roundings that a recipe can name.
  static let roundings = RoundingRule.deterministic.map(\.id) + [stochastic]

  /// The keys that choose an aspect of the policy, in the order of aspects.
  static let aspects: [(key: QuantizerKey, aspect: PolicyAspect)] = PolicyAspect.allCases.compactMap
  {
    aspect in QuantizerKey(rawValue: aspect.key).map { ($0, aspect) }
  }

  /// The aspect that the key chooses; `nil` for other keys.
  private var aspect: PolicyAspect? { PolicyAspect(rawValue: rawValue) }

  var values: String {
    switch self {
    case .format: "the id of a format"
    case .scaleRule: "the id of one of the format's scale rules"
    case .rounding: "\(RoundingRule.deterministic.map(\.id).alternatives) or \(Self.stochastic)"
    case .randomBits: "an integer from 1 to 32"
    case .overflow, .nonFinite, .scaleFloor, .zeroBlock, .zeroSign, .scaleArithmetic:
      aspect?.alternatives(scaleRules: []).map(\.id).alternatives ?? ""
    case .transform: "an object, see transform"
    case .source: SourcePrecision.allCases.alternatives
    case .premultiplier: "a number from 0.5 to 2"
    case .delayedScaling: "an object, see delayed_scaling"
    }
  }

  var absence: String? {
    switch self {
    case .format: nil
    case .scaleRule, .rounding, .overflow, .nonFinite, .scaleFloor, .zeroBlock, .zeroSign,
      .scaleArithmetic:
      "the format's default"
    case .randomBits: "32"
    case .transform: "no rotation"
    case .source: SourcePrecision.float32.rawValue
    case .premultiplier: "1"
    case .delayedScaling: "scales from the tensor itself"
    }
  }

  var meaning: String {
    switch self {
    case .format: "the format of the operand"
    case .scaleRule, .rounding, .overflow, .nonFinite, .scaleFloor, .zeroBlock, .zeroSign,
      .scaleArithmetic:
      aspect?.purpose ?? ""
    case .randomBits: "random bits of an element, with stochastic rounding alone"
    case .transform: "a rotation before encoding, the same for both operands of a product"
    case .source: "rounds to BF16 before and after the rotation, or does not"
    case .premultiplier: "a factor before encoding, by which the product is divided"
    case .delayedScaling: "scales from earlier steps; for one FP32 scale per tensor"
    }
  }
}

/// The keys of a rotation.
enum TransformKey: String, RecipeKey {
  case hadamard, signs

  static let object = "transform"
  /// The range of block lengths, not all of which there are.
  static let lengths = 2...128

  var values: String {
    switch self {
    case .hadamard: OperandTransform.lengths.map(String.init).alternatives
    case .signs: OperandTransform.Signs.allCases.alternatives
    }
  }

  var absence: String? { self == .hadamard ? nil : OperandTransform.Signs.perRun.rawValue }

  var meaning: String {
    switch self {
    case .hadamard: "the numbers that are mixed, along the axis that the product contracts"
    case .signs: "all +1, random ones for the run, or new ones in every step"
    }
  }
}

/// The keys of delayed scaling.
enum DelayedScalingKey: String, RecipeKey {
  case history, margin, amax

  static let object = "delayed_scaling"

  var values: String {
    switch self {
    case .history: "an integer from 1 to 1048576"
    case .margin: "an integer from -64 to 64"
    case .amax: DelayedScaling.Amax.allCases.alternatives
    }
  }

  var absence: String? {
    let usual = DelayedScaling()
    return switch self {
    case .history: "\(usual.historyLength)"
    case .margin: "\(usual.margin)"
    case .amax: usual.amax.rawValue
    }
  }

  var meaning: String {
    switch self {
    case .history: "the steps whose largest magnitudes count"
    case .margin: "scales are 2^margin below the one that maps amax to the largest element"
    case .amax: "the largest magnitude of the history, or that of the present step"
    }
  }
}

extension [String] {
  /// Separated by commas.
  fileprivate var alternatives: String { joined(separator: ", ") }
}

extension Array where Element: RawRepresentable<String> {
  /// The raw values, separated by commas.
  fileprivate var alternatives: String { map(\.rawValue).alternatives }
}
