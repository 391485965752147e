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
