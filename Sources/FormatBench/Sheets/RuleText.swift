import BlockFormats

// The one place where policies are put into words: sheets, explanations and the reference document
// all quote these.

extension RoundingRule {
  /// The rule in a few words.
  var meaning: String {
    switch self {
    case .toNearestOrEven: "to the nearest value, a tie to the even code"
    case .toNearestOrAway: "to the nearest value, a tie away from zero"
    case .towardZero: "to the neighbour nearer zero"
    case .up: "to the neighbour nearer +Inf"
    case .down: "to the neighbour nearer -Inf"
    case .toOdd: "to the neighbour with the odd code, unless exact"
    case .stochastic: "to one of the neighbours, the nearer the likelier"
    }
  }
}

extension OverflowRule {
  /// The rule in a few words.
  var meaning: String {
    switch self {
    case .saturate:
      "beyond the largest value: the largest that decodes finite; judged after rounding"
    case .special: "beyond the largest value: Inf if the element has it, else NaN, else the largest"
    }
  }
}

extension NonFiniteRule {
  /// The rule in a few words.
  var meaning: String {
    switch self {
    case .blockNaN: "one NaN or Inf makes its whole block NaN"
    case .element: "NaN stays in its element, Inf follows the overflow rule; scales ignore both"
    case .nanToZero: "NaN becomes +0, Inf the largest value; scales ignore both"
    }
  }
}

extension ScaleRule {
  /// The rule in a few words; emax and max are those of the element.
  var meaning: String {
    switch self {
    case .unscaled: "no scale"
    case .powerOfTwo(let rule): rule.meaning
    case .search(let rule):
      "the least squared error among \(rule.id), one below and one above"
    case .amax: "the block's largest magnitude maps to the largest element value"
    case .amaxPowerOfTwo: "as amax, with the encode multiplier rounded down to a power of two"
    case .fourOverSix: "the block's largest magnitude maps to 6 or 4, by squared error"
    }
  }
}

extension PowerOfTwoRule {
  /// The exponent in a formula.
  var meaning: String {
    switch self {
    case .floor: "2^(floor(log2 amax) - emax); the largest elements may clip"
    case .ceil: "2^(ceil(log2 amax) - emax)"
    case .rceil: "the smallest power of two that clips nothing: 2^ceil(log2(amax / max))"
    case .even: "as floor, after rounding amax half up to the element's fraction bits"
    case .nearestLog2: "2^round(log2(amax / max))"
    }
  }
}

extension ScaleFloor {
  /// The rule in a few words.
  var meaning: String {
    switch self {
    case .unbounded: "a block scale may underflow to zero"
    case .leastNonzero: "block scales are at least the smallest value above zero"
    case .leastNormal: "block scales are at least the smallest normal value"
    }
  }
}

extension ZeroBlockRule {
  /// The rule in a few words.
  var meaning: String {
    switch self {
    case .fromRule: "a block of zeros stores what the scale rule gives for amax = 0"
    case .one: "a block of zeros stores a scale of one"
    }
  }
}
