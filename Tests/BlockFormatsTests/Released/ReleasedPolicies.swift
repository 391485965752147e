import BlockFormats

/// The policies under which digests were recorded; what was added to the choices since has its own.
enum ReleasedPolicies {
  /// The alternatives that came after the first record, by the choice's key.
  static let later: [PolicyAspect: Set<String>] = [
    .rounding: ["nearest_toward_zero", "nearest_half_up"],
    .nonFinite: ["nan_to_max"],
    .scaleFloor: ["eighth_for_zero"],
    .scaleRule: [
      "even_e2m1", "search(even_e2m1)", "oas", "search(oas)", "floor_plus_1",
      "search(floor_plus_1)", "amax_half_step", "four_over_six_mae",
    ],
    .zeroSign: ["positive", "kept_unless_zero", "negative_for_zero"],
    .scaleArithmetic: ["divide", "reciprocal", "quotient"],
  ]

  private static func isFirst(_ id: String, _ aspect: PolicyAspect) -> Bool {
    !(later[aspect] ?? []).contains(id)
  }

  private static let roundings: [RoundingRule] =
    RoundingRule.deterministic.filter { isFirst($0.id, .rounding) }
    + [(1, 3), (8, 0x1234_5678_9ABC_DEF1), (23, 99), (32, 0xFFFF_FFFF_FFFF_FFFF)].map {
      .stochastic(StochasticSource(seed: $1, stream: UInt32($0), randomBitCount: $0))
    }

  /// The scale rules of the first record.
  static func scaleRules(_ format: some BlockFormat) -> [ScaleRule] {
    format.scaleRules.filter { isFirst($0.id, .scaleRule) }
  }

  /// A few policies in which every rule and every rounding of a format occurs, and, over formats
  /// and rounds, every pair of choices.
  static func some(_ format: some BlockFormat, round: Int) -> [EncodingPolicy] {
    let rules = scaleRules(format)
    let nonFinite = NonFiniteRule.allCases.filter { isFirst($0.id, .nonFinite) }
    let floors = ScaleFloor.allCases.filter { isFirst($0.id, .scaleFloor) }
    return roundings.indices.map { index in
      var policy = EncodingPolicy(scaleRule: rules[(index + round) % rules.count])
      policy.rounding =
        format.follows(.rounding) ? roundings[index] : format.defaultPolicy.rounding
      policy.overflow = OverflowRule.allCases[(index + round / 2) % 2]
      policy.nonFinite = nonFinite[(index + round) % 3]
      policy.scaleFloor = floors[(index + round / 3) % 3]
      policy.zeroBlock = ZeroBlockRule.allCases[(index / 2 + round) % 2]
      return policy
    }
  }

  /// A format's default policy with each later alternative that it follows.
  static func withLater(_ format: some BlockFormat) -> [EncodingPolicy] {
    PolicyAspect.allCases.filter(format.follows).flatMap { aspect in
      aspect.alternatives(scaleRules: format.scaleRules).compactMap { alternative in
        guard !isFirst(alternative.id, aspect) else { return nil }
        var policy = format.defaultPolicy
        _ = aspect.choose(alternative.id, in: &policy, scaleRules: format.scaleRules)
        return policy
      }
    }
  }
}
