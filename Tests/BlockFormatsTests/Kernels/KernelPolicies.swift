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
      policy.nonFinite = NonFiniteRule.allCases[(index + round) % 4]
      policy.scaleFloor = ScaleFloor.allCases[(index + round / 3) % 4]
      policy.zeroBlock = ZeroBlockRule.allCases[(index / 2 + round) % 2]
      // Those that kernels know, more often than the others.
      policy.zeroSign =
        [.kept, .positive, .kept, .positive, .keptUnlessZero, .kept, .negativeForZero][
          (index + round) % 7]
      policy.scaleArithmetic =
        (index + 3 * round) % 5 == 4 ? ScaleArithmetic.allCases[(index + round) % 4] : .multiply
      return policy
    }
  }

  /// The full cross product of what kernels know, without choices that a format ignores.
  static func all(_ format: some BlockFormat) -> [EncodingPolicy] {
    let floors =
      format.follows(.scaleFloor)
      ? [ScaleFloor.unbounded, .leastNonzero, .leastNormal] : [.unbounded]
    let zeros = format.follows(.zeroBlock) ? ZeroBlockRule.allCases : [.fromRule]
    let roundings = format.follows(.rounding) ? roundings : [format.defaultPolicy.rounding]
    var policies: [EncodingPolicy] = []
    for rule in format.scaleRules where rule != .fourOverSixAbsolute {
      for rounding in roundings {
        for overflow in OverflowRule.allCases {
          for nonFinite in NonFiniteRule.allCases {
            for floor in floors {
              for zero in zeros {
                for sign in format.follows(.zeroSign) ? [ZeroSignRule.kept, .positive] : [.kept] {
                  policies.append(
                    EncodingPolicy(
                      rounding: rounding, overflow: overflow, nonFinite: nonFinite,
                      scaleRule: rule, scaleFloor: floor, zeroBlock: zero, zeroSign: sign))
                }
              }
            }
          }
        }
      }
    }
    return policies
  }
}
