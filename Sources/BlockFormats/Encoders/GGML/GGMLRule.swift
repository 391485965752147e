/// The scale rules of ggml's formats, beside `AmaxRule.amax` and `AffineFormat.Rule.range`.
public enum GGMLRule: String, ScaleRuleChoice, CaseIterable {
  /// The first value of the largest magnitude maps to the least integer (Q4_0, Q5_0).
  case greatestToLeast = "greatest_to_least"
  /// The best of several lines through a part by weighted squared error (Q4_K, Q5_K).
  case weightedFit = "weighted_fit"
  /// The best of several lines through a part by weighted absolute error (Q2_K).
  case weightedAbsoluteFit = "weighted_absolute_fit"
  /// The best of several factors by squared error weighted with x² (IQ4_NL, Q6_K).
  case factorFit = "factor_fit"
  /// The factor that fits the codes of one first scale, by the same error (IQ4_NL).
  case firstFactor = "first_factor"
  /// Codes changed one at a time as long as their best factor gets better (Q3_K).
  case factorDescent = "factor_descent"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .greatestToLeast:
      "the block's first value of the largest magnitude maps to the least integer"
    case .weightedFit: "the line through each part with the least weighted squared error"
    case .weightedAbsoluteFit: "the line through each part with the least weighted absolute error"
    case .factorFit: "the factor with the least squared error weighted with x^2, of several tried"
    case .firstFactor: "the factor with the least such error for the codes of the first one tried"
    case .factorDescent: "the factor with the least such error, codes changed one at a time"
    }
  }
}
