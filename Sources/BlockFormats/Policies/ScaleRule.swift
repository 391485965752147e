/// How what a block stores besides its elements follows from its values: a rule of the format's encoder.
///
/// Rules belong to encoders, which list those they follow in `BlockFormat.scaleRules`; the set is open.
public struct ScaleRule: Hashable, Sendable {
  /// The rule as its encoder knows it.
  public let choice: any ScaleRuleChoice

  /// A rule of an encoder.
  public init(_ choice: some ScaleRuleChoice) { self.choice = choice }

  /// The rule's name in options and reports.
  public var id: String { choice.id }

  /// The rule in a few words.
  public var meaning: String { choice.meaning }

  /// Whether the rule looks at a block's values and not only at their statistics.
  var needsValues: Bool { choice.needsValues }

  /// The rule as one of an encoder's; `nil` if it is another's.
  public func `as`<Choice: ScaleRuleChoice>(_ type: Choice.Type) -> Choice? { choice as? Choice }

  /// There is no scale.
  public static let unscaled = ScaleRule(NoScale.unscaled)

  /// Rules are equal if they are the same choice of one encoder.
  public static func == (a: ScaleRule, b: ScaleRule) -> Bool {
    AnyHashable(a.choice) == AnyHashable(b.choice)
  }

  /// Hashes the choice.
  public func hash(into hasher: inout Hasher) { choice.hash(into: &hasher) }
}

/// The scale rules of an encoder: a closed set of its own.
public protocol ScaleRuleChoice: Hashable, Sendable {
  /// The rule's name in options and reports: lower-case, unique among all rules.
  var id: String { get }
  /// The rule in a few words.
  var meaning: String { get }
  /// Whether the rule looks at a block's values and not only at their statistics.
  var needsValues: Bool { get }
}

extension ScaleRuleChoice {
  /// Statistics are enough.
  public var needsValues: Bool { false }
}

/// The rule of formats without scales.
private enum NoScale: ScaleRuleChoice {
  case unscaled

  var id: String { "none" }
  var meaning: String { "no scale" }
}
