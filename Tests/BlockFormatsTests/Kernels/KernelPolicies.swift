import BlockFormats

/// The choices that a format can follow.
enum KernelPolicies {
  static let roundings: [RoundingRule] =
    RoundingRule.deterministic
    + [(1, 3), (8, 0x1234_5678_9ABC_DEF1), (23, 99), (32, 0xFFFF_FFFF_FFFF_FFFF)].map {
      .stochastic(StochasticSource(seed: $1, stream: UInt32($0), randomBitCount: $0))
    }

  /// A few policies in which every rule and every rounding of a format occurs, and, over formats
  /// and rounds, every pair of choices.
  static func some(_ format: some BlockFormat, round: Int) -> [EncodingPolicy] {
    let rules = format.scaleRules
    return roundings.indices.map { index in
      var policy = EncodingPolicy(scaleRule: rules[(index + round) % rules.count])
      policy.rounding =
        format.follows(.rounding) ? roundings[index] : format.defaultPolicy.rounding
      policy.overflow = OverflowRule.allCases[(index + round / 2) % 2]
      policy.nonFinite = NonFiniteRule.allCases[(index + round) % 3]
      policy.scaleFloor = ScaleFloor.allCases[(index + round / 3) % 3]
      policy.zeroBlock = ZeroBlockRule.allCases[(index / 2 + round) % 2]
      return policy
    }
  }

  /// The full cross product, without choices that a format ignores.
  static func all(_ format: some BlockFormat) -> [EncodingPolicy] {
    let floors = format.follows(.scaleFloor) ? ScaleFloor.allCases : [.unbounded]
    let zeros = format.follows(.zeroBlock) ? ZeroBlockRule.allCases : [.fromRule]
    let roundings = format.follows(.rounding) ? roundings : [format.defaultPolicy.rounding]
    var policies: [EncodingPolicy] = []
    for rule in format.scaleRules {
      for rounding in roundings {
        for overflow in OverflowRule.allCases {
          for nonFinite in NonFiniteRule.allCases {
            for floor in floors {
              for zero in zeros {
                policies.append(
                  EncodingPolicy(
                    rounding: rounding, overflow: overflow, nonFinite: nonFinite, scaleRule: rule,
                    scaleFloor: floor, zeroBlock: zero))
              }
            }
          }
        }
      }
    }
    return policies
  }
}
