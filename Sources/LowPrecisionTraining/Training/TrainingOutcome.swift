/// What a run came to.
public struct TrainingOutcome: Hashable, Sendable {
  /// The losses on the way.
  public let curve: LossCurve
  /// The last validation loss, in nats for each counted target; NaN if the run diverged or did not
  /// get to one.
  public let validationLoss: Double
  /// The step whose loss, gradient or validation loss was not finite, which ended the run.
  public let divergedAt: Int?
  /// The median seconds of a step, without looks at the validation data; NaN before the first.
  public let stepSeconds: Double

  /// Reads the end of a curve.
  ///
  /// - Parameters:
  ///   - curve: of the run.
  ///   - tokenCount: the tokens of a step.
  public init(_ curve: LossCurve, tokenCount: Int) {
    self.curve = curve
    let last = curve.rows.last
    divergedAt = last.flatMap { $0.isFinite ? nil : $0.step }
    validationLoss = divergedAt == nil ? last?.validationLoss ?? .nan : .nan
    let speeds = curve.rows.map(\.tokensPerSecond).sorted()
    stepSeconds = speeds.isEmpty ? .nan : Double(tokenCount) / speeds[speeds.count / 2]
  }
}

extension LossCurve.Row {
  /// Whether training could go on after the step.
  var isFinite: Bool {
    trainingLoss.isFinite && gradientNorm.isFinite && validationLoss?.isFinite ?? true
  }
}
