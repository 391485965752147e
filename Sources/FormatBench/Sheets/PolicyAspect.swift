import BlockFormats

/// One of the choices that a policy is made of.
enum PolicyAspect: String, CaseIterable {
  case scaleRule = "scale rule"
  case rounding
  case overflow
  case nonFinite = "non-finite"
  case scaleFloor = "scale floor"
  case zeroBlock = "zero block"

  /// The chosen alternative's id.
  func id(in policy: EncodingPolicy) -> String {
    switch self {
    case .scaleRule: policy.scaleRule.id
    case .rounding: policy.rounding.id
    case .overflow: policy.overflow.id
    case .nonFinite: policy.nonFinite.id
    case .scaleFloor: policy.scaleFloor.id
    case .zeroBlock: policy.zeroBlock.id
    }
  }

  /// The chosen alternative in words.
  func meaning(in policy: EncodingPolicy) -> String {
    switch self {
    case .scaleRule: policy.scaleRule.meaning
    case .rounding: policy.rounding.meaning
    case .overflow: policy.overflow.meaning
    case .nonFinite: policy.nonFinite.meaning
    case .scaleFloor: policy.scaleFloor.meaning
    case .zeroBlock: policy.zeroBlock.meaning
    }
  }

  /// Whether the choice is shown though nothing else can be chosen.
  var isAlwaysShown: Bool { self == .rounding }

  /// The ids of the other alternatives that make a difference for the format.
  ///
  /// Scale rules are those that the format says it can follow. Of the rest, an alternative makes a
  /// difference if a special case is stored in other bytes.
  func alternatives(for format: any BlockFormat) -> [String] {
    let policy = format.defaultPolicy
    func differing<Choice: Equatable>(
      _ choices: [Choice], _ field: WritableKeyPath<EncodingPolicy, Choice>,
      _ id: (Choice) -> String
    ) -> [String] {
      choices.filter { choice in
        var other = policy
        other[keyPath: field] = choice
        return choice != policy[keyPath: field]
          && SpecialCase.probes.contains { values in
            let tensor = Tensor(values)
            return tensor.quantized(to: format, policy: policy).storedBytes
              != tensor.quantized(to: format, policy: other).storedBytes
          }
      }.map(id)
    }
    switch self {
    case .scaleRule:
      let ids = format.scaleRules.filter { $0 != policy.scaleRule }.map(\.id)
      let plain = ids.filter { !$0.hasPrefix("search(") }
      return plain + (plain.count < ids.count ? ["search(RULE)"] : [])
    case .rounding:
      return RoundingRule.deterministic.filter { $0 != policy.rounding }.map(\.id) + ["stochastic"]
    case .overflow: return differing(OverflowRule.allCases, \.overflow, \.id)
    case .nonFinite: return differing(NonFiniteRule.allCases, \.nonFinite, \.id)
    case .scaleFloor: return differing(ScaleFloor.allCases, \.scaleFloor, \.id)
    case .zeroBlock: return differing(ZeroBlockRule.allCases, \.zeroBlock, \.id)
    }
  }
}
