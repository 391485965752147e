/// The scale rules of shared exponents.
public enum PowerOfTwoScale: ScaleRuleChoice {
  /// The power of two that a rule gives for the block's largest magnitude.
  case rule(PowerOfTwoRule)
  /// A power of two chosen by squared error among the rule's exponent and its two neighbours.
  ///
  /// The candidates are tried in the order rule, one below, one above; a later one must be
  /// strictly better to win. The sums of `BlockFormat.squaredError` are rounded in the order of the
  /// elements, so that a permuted block may get another of two scales that are equally good.
  case search(around: PowerOfTwoRule)

  /// The rule's name in options and reports.
  public var id: String {
    switch self {
    case .rule(let rule): rule.id
    case .search(.floor): "search"
    case .search(let rule): "search(\(rule.id))"
    }
  }

  /// The rule in a few words; emax and max are those of the element.
  public var meaning: String {
    switch self {
    case .rule(let rule): rule.meaning
    case .search(let rule): "the least squared error among \(rule.id), one below and one above"
    }
  }

  /// Whether the rule looks at values: a search encodes a block several times.
  public var needsValues: Bool {
    switch self {
    case .rule: false
    case .search: true
    }
  }
}

extension ScaleRule {
  /// A power of two chosen from the block's largest magnitude.
  public static func powerOfTwo(_ rule: PowerOfTwoRule) -> ScaleRule {
    ScaleRule(PowerOfTwoScale.rule(rule))
  }

  /// A power of two chosen by squared error; see `PowerOfTwoScale.search(around:)`.
  public static func search(around rule: PowerOfTwoRule) -> ScaleRule {
    ScaleRule(PowerOfTwoScale.search(around: rule))
  }

  /// Every rule for a power-of-two scale.
  public static let powersOfTwo: [ScaleRule] =
    PowerOfTwoRule.allCases.map(ScaleRule.powerOfTwo)
    + PowerOfTwoRule.allCases.map(ScaleRule.search(around:))
}
