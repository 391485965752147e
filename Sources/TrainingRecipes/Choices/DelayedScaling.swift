import CallerChecks

/// Where the scale of a whole-tensor format comes from.
public enum TensorScaling: Hashable, Sendable {
  /// From the tensor itself.
  case current
  /// From the tensors of earlier steps.
  case delayed(DelayedScaling)
}

/// How a tensor's scale follows from the magnitudes of earlier steps.
///
/// Source: TransformerEngine's DelayedScaling recipe; Micikevicius et al., "FP8 formats for deep
/// learning", arXiv 2209.05433.
public struct DelayedScaling: Hashable, Sendable {
  /// Which of a history's magnitudes makes the scale.
  public enum Amax: String, NamedChoice {
    /// The largest of all.
    case max
    /// That of the present step.
    case mostRecent = "most_recent"
  }

  /// The lengths that a history may have; the longest takes 4 MiB.
  public static let historyLengths = 1...1 << 20
  /// The margins there are: more either way than all binades of an 8-bit float.
  public static let margins = -64...64

  /// How many steps the history holds, the present one included.
  public let historyLength: Int
  /// The scale is 2^margin below the one that maps amax to the largest element.
  public let margin: Int
  /// Which of the history's magnitudes makes the scale.
  public let amax: Amax

  /// Creates a choice; the defaults are TransformerEngine's.
  ///
  /// - Precondition: `historyLength` is in `historyLengths` and `margin` in `margins`.
  public init(historyLength: Int = 1024, margin: Int = 0, amax: Amax = .max) {
    require(
      DelayedScaling.historyLengths.contains(historyLength),
      "a history of \(historyLength) steps is outside 1...2^20")
    require(DelayedScaling.margins.contains(margin), "margin \(margin) is outside -64...64")
    self.historyLength = historyLength
    self.margin = margin
    self.amax = amax
  }
}
