import BlockFormats
import CommandLineToolkit

extension ValueKind<ScaleRule> {
  /// A scale rule by its id.
  static let scaleRule = ValueKind(
    placeholder: "RULE", accepted: "a scale rule", choices: FormatCatalog.scaleRules.map(\.id)
  ) { (text) throws(ValueFailure) in
    let alias = text == "search(floor)" ? "search" : text
    guard let rule = FormatCatalog.scaleRules.first(where: { $0.id == alias }) else {
      throw .unknown("scale rule", text, known: FormatCatalog.scaleRules.map(\.id))
    }
    return rule
  }
}

/// A rounding as the command line names it: stochastic rounding takes its seed from `--seed`.
enum RoundingChoice: Hashable, Sendable {
  case deterministic(RoundingRule)
  case stochastic(randomBitCount: Int)

  /// The rounding's name, without a seed.
  var id: String {
    switch self {
    case .deterministic(let rule): rule.id
    case .stochastic(32): "stochastic"
    case .stochastic(let bits): "stochastic(bits=\(bits))"
    }
  }

  /// Whether it draws random bits.
  var isRandom: Bool {
    switch self {
    case .deterministic: false
    case .stochastic: true
    }
  }

  /// The rule under a seed.
  func rule(seed: UInt64) -> RoundingRule {
    switch self {
    case .deterministic(let rule): rule
    case .stochastic(let bits): .stochastic(StochasticSource(seed: seed, randomBitCount: bits))
    }
  }
}

extension ValueKind<RoundingChoice> {
  /// A rounding by its id; `stochastic` has 32 random bits, `stochastic(bits=N)` has N.
  static let rounding = ValueKind(
    placeholder: "ROUNDING", accepted: "a rounding", choices: names
  ) { (text) throws(ValueFailure) in
    if let rule = RoundingRule.deterministic.first(where: { $0.id == text }) {
      return .deterministic(rule)
    }
    if text == "stochastic" { return .stochastic(randomBitCount: 32) }
    if let match = text.wholeMatch(of: /stochastic\(bits=(\d{1,2})\)/) {
      guard let bits = Int(match.1), (1...32).contains(bits) else {
        throw .explained("\(text): random bits are 1 to 32")
      }
      return .stochastic(randomBitCount: bits)
    }
    throw .unknown("rounding", text, known: names)
  }

  private static var names: [String] {
    RoundingRule.deterministic.map(\.id) + ["stochastic", "stochastic(bits=N)"]
  }
}

/// The options of policies that several commands share.
enum PolicyOptions {
  static let overflow = Option.optional(
    "overflow", .choice("rule", of: OverflowRule.self),
    help: "what becomes of values beyond the largest; special is Inf, else NaN")
  static let nonFinite = Option.optional(
    "non-finite", .choice("rule", of: NonFiniteRule.self),
    help: "what becomes of NaN and infinities; each format has its own default")
  static let scaleFloor = Option.optional(
    "scale-floor", .choice("floor", of: ScaleFloor.self),
    help: "the smallest scale a block of a two-level format stores")
  static let zeroBlock = Option.optional(
    "zero-block", .choice("rule", of: ZeroBlockRule.self),
    help: "the scale of a block of zeros")
  static let seed = Option.defaulted(
    "seed", .integer(in: 0...Int.max), default: "0", help: "the seed of random numbers")
  static let axis = Option.defaulted(
    "axis", .integer(in: Int.min...Int.max), default: "-1",
    help: "the axis that blocks run along, negative from the end")
  static let threads = Option.optional(
    "threads", .integer(in: 1...1024),
    help: "how many threads may work; all cores by default; never changes a result")

  /// The options that change a policy besides scale rule and rounding.
  static let all: [any OptionDeclaration] = [overflow, nonFinite, scaleFloor, zeroBlock]

  /// A format's default policy with what the command line states and the format can follow.
  static func policy(
    of format: any BlockFormat, _ arguments: ParsedArguments
  ) -> EncodingPolicy {
    var policy = format.defaultPolicy
    policy.overflow = arguments[overflow] ?? policy.overflow
    policy.nonFinite = arguments[nonFinite] ?? policy.nonFinite
    if format.follows(.scaleFloor) {
      policy.scaleFloor = arguments[scaleFloor] ?? policy.scaleFloor
    }
    if format.follows(.zeroBlock) {
      policy.zeroBlock = arguments[zeroBlock] ?? policy.zeroBlock
    }
    return policy
  }

  /// Refuses options that none of the formats can follow.
  static func checkUse(
    _ arguments: ParsedArguments, by formats: [any BlockFormat]
  ) throws(CommandError) {
    let names = formats.count == 1 ? formats[0].id : "every format compared"
    guard
      arguments[scaleFloor] == nil || formats.contains(where: { $0.follows(.scaleFloor) })
    else { throw .usage("--scale-floor: scales of \(names) are never zero") }
    guard
      arguments[zeroBlock] == nil || formats.contains(where: { $0.follows(.zeroBlock) })
    else { throw .usage("--zero-block: a block of zeros has one form in \(names)") }
  }

  /// Refuses a seed that nothing draws from.
  static func checkSeed(_ arguments: ParsedArguments, isUsed: Bool) throws(CommandError) {
    guard isUsed || !arguments.isGiven(seed) else {
      throw .usage("--seed: nothing is random without --rounding stochastic")
    }
  }

  /// The threads that may work.
  static func parallelism(_ arguments: ParsedArguments) -> Parallelism {
    arguments[threads].map(Parallelism.threads) ?? .allCores
  }
}
