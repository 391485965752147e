public import BlockFormats
import CallerChecks

/// How a model is trained.
public struct TrainingOptions: Sendable {
  /// The steps.
  public var stepCount: Int
  /// The learning rate of each.
  public var schedule: LearningRateSchedule
  /// The optimizer.
  public var optimizer: OptimizerKind
  /// Gradients of a larger norm are scaled down to it; `nil` for none.
  public var clippingNorm: Double?
  /// Steps between two looks at the validation data, which also come at the end.
  public var validationInterval: Int
  /// The batches of such a look.
  public var validationBatchCount: Int
  /// Steps between two measurements of the operands' errors, which the first step and the last one
  /// also get; none if `nil`.
  public var measurementInterval: Int?
  /// How products of quantized operands are computed.
  public var arithmetic: ProductArithmetic
  /// How many threads may work; never changes a result.
  public var parallelism: Parallelism

  /// Creates options.
  public init(
    stepCount: Int, schedule: LearningRateSchedule, optimizer: OptimizerKind = .adamW,
    clippingNorm: Double? = 1,
    validationInterval: Int = 100, validationBatchCount: Int = 8,
    measurementInterval: Int? = nil, arithmetic: ProductArithmetic = .packed,
    parallelism: Parallelism = .allCores
  ) {
    self.stepCount = stepCount
    self.schedule = schedule
    self.optimizer = optimizer
    self.clippingNorm = clippingNorm
    self.validationInterval = validationInterval
    self.validationBatchCount = validationBatchCount
    self.measurementInterval = measurementInterval
    self.arithmetic = arithmetic
    self.parallelism = parallelism
  }

  /// Stops a caller whose options make no run.
  func requireUsable() {
    require(stepCount >= 0, "a run of \(stepCount) steps")
    require(
      validationInterval > 0 && validationBatchCount > 0,
      "looks at \(validationBatchCount) validation batches every \(validationInterval) steps")
    require(
      measurementInterval ?? 1 > 0, "measurements every \(measurementInterval ?? 1) steps")
    require(
      clippingNorm ?? 1 > 0, "gradients scaled down to a norm of \(clippingNorm ?? 1)")
  }
}
