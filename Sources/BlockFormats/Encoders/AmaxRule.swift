/// The scale rules by which a block's largest magnitude maps to an element value.
///
/// `ScaledFormat` follows those without "over", `TwoLevelFormat` the first and those with it, `AbsmaxFormat`
/// the first.
public enum AmaxRule: String, ScaleRuleChoice, CaseIterable {
  /// The largest magnitude maps to the element's largest value.
  case amax
  /// As `amax`, with the encoding scale rounded down to a power of two (the decoding scale up).
  case amaxPowerOfTwo = "amax_pow2"
  /// The largest magnitude maps half a step beyond the element's largest value: amax / 7.5 is a step of
  /// integers of four bits. compressed-tensors, for integers whose least value has no opposite.
  case amaxHalfStep = "amax_half_step"
  /// Per block, map the largest magnitude to 6 or to 4, whichever gives the smaller squared
  /// error; ties go to 6. Source: arXiv 2512.02010.
  case fourOverSix = "four_over_six"
  /// As `fourOverSix`, by the smaller sum of absolute errors (TransformerEngine).
  case fourOverSixAbsolute = "four_over_six_mae"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .amax: "the block's largest magnitude maps to the largest element value"
    case .amaxPowerOfTwo: "as amax, with the encode multiplier rounded down to a power of two"
    case .amaxHalfStep:
      "the block's largest magnitude maps half a step beyond the largest element value"
    case .fourOverSix: "the block's largest magnitude maps to 6 or 4, by squared error"
    case .fourOverSixAbsolute: "the block's largest magnitude maps to 6 or 4, by absolute error"
    }
  }

  /// Whether the rule looks at values: four over six encodes a block twice.
  public var needsValues: Bool { isFourOverSix }

  /// Whether the largest magnitude maps to 6 or 4.
  var isFourOverSix: Bool { self == .fourOverSix || self == .fourOverSixAbsolute }
}

extension ScaleRule {
  /// The largest magnitude maps to the element's largest value.
  public static let amax = ScaleRule(AmaxRule.amax)
  /// As `amax`, with the encoding scale rounded down to a power of two (the decoding scale up).
  public static let amaxPowerOfTwo = ScaleRule(AmaxRule.amaxPowerOfTwo)
  /// The largest magnitude maps to 6 or to 4; see `AmaxRule.fourOverSix`.
  public static let fourOverSix = ScaleRule(AmaxRule.fourOverSix)
  /// The largest magnitude maps half a step beyond the largest value; see `AmaxRule.amaxHalfStep`.
  public static let amaxHalfStep = ScaleRule(AmaxRule.amaxHalfStep)
  /// Four over six by absolute error; see `AmaxRule.fourOverSixAbsolute`.
  public static let fourOverSixAbsolute = ScaleRule(AmaxRule.fourOverSixAbsolute)
}
