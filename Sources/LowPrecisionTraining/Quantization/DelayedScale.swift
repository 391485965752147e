import CallerChecks
public import TrainingRecipes

/// The scale of one tensor that follows from the magnitudes of earlier steps, with their history.
///
/// The order within a step, with history slot 0 for the present:
///
/// 1. The tensor is cast with the present `scale`, made at the end of the last step; its amax goes
///    to slot 0 (`record`). Several casts in one step keep the largest.
/// 2. At the end of the step (`endStep`) the new scale follows from the history, slot 0 included:
///    (largest element / amax) / 2^margin. It stays as it is where amax is zero or not finite, is
///    the largest FP32 number where the quotient is infinite, and is at least 2^-126.
/// 3. The history rotates: (present, a1, a2, ..., an) becomes (0, a2, ..., an, present), so the
///    oldest, a1, drops out.
///
/// The history starts at zero and the scale at one. A NaN or infinite amax holds the scale until it
/// has left the history. Values beyond the range of an old scale follow the policy's overflow rule.
///
/// Source: TransformerEngine's DelayedScaling recipe; Micikevicius et al., "FP8 formats for deep
/// learning", arXiv 2209.05433.
public struct DelayedScale: Hashable, Sendable {
  /// What the recipe says.
  public let rule: DelayedScaling
  /// The largest value of the element format, 448 for E4M3.
  public let greatestElement: Float
  /// The magnitudes: slot 0 is the present step, slot 1 the oldest.
  public private(set) var history: [Float]
  /// The factor on values when they are encoded.
  public private(set) var scale: Float = 1

  /// The factor on elements when they are decoded: the tensor scale that encoders take.
  ///
  /// At least 2^-127, since encoders multiply by its reciprocal, which must be finite. That
  /// reciprocal can differ from `scale` in its last bit.
  public var decodeMultiplier: Float { Swift.max(1 / scale, 0x1p-127) }

  /// Creates the state before the first step.
  ///
  /// - Precondition: `greatestElement` is finite and above zero.
  public init(_ rule: DelayedScaling, greatestElement: Float) {
    require(
      greatestElement > 0 && greatestElement.isFinite,
      "a largest element of \(greatestElement) makes no scale")
    self.rule = rule
    self.greatestElement = greatestElement
    history = Array(repeating: 0, count: rule.historyLength)
  }

  /// Restores a state, for checkpoints.
  ///
  /// - Precondition: the history has the rule's length, and the scale is finite and at least
  ///   2^-126.
  public init(_ rule: DelayedScaling, greatestElement: Float, history: [Float], scale: Float) {
    self.init(rule, greatestElement: greatestElement)
    require(
      history.count == rule.historyLength,
      "\(history.count) magnitudes for a history of \(rule.historyLength)")
    require(
      scale >= .leastNormalMagnitude && scale.isFinite, "a scale of \(scale) is outside 2^-126...")
    self.history = history
    self.scale = scale
  }

  /// Notes the largest magnitude of a tensor that was cast with the present scale.
  ///
  /// - Parameter amax: of all its values: NaN if one is NaN, infinite if one is.
  public mutating func record(amax: Float) {
    if amax.isNaN || amax > history[0] { history[0] = amax }
  }

  /// Makes the next step's scale and rotates the history.
  public mutating func endStep() {
    let amax =
      switch rule.amax {
      case .max: history.reduce(0) { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }
      case .mostRecent: history[0]
      }
    if amax > 0 && amax.isFinite {
      let quotient = greatestElement / amax
      let margin = Float(sign: .plus, exponent: rule.margin, significand: 1)
      scale = Swift.min(
        Swift.max(quotient / margin, .leastNormalMagnitude), .greatestFiniteMagnitude)
    }
    history.append(history[0])
    history.removeFirst()
    history[0] = 0
  }
}
