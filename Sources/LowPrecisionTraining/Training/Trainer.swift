/// Trains a model step by step.
///
/// A run is a function of model, source, options and seed: neither threads nor instruction sets
/// change a bit of it, nor does a stop between two steps (`Trainer.checkpoint`).
public final class Trainer {
  /// The model.
  public let model: any LanguageModel
  /// Where batches come from.
  public let source: any TokenSource
  /// How it is trained.
  public let options: TrainingOptions
  /// The seed of the random bits of quantization.
  public let seed: UInt32
  /// The optimizer.
  public let optimizer: any Optimizer
  /// The steps taken.
  public internal(set) var step = 0
  /// What they measured.
  public internal(set) var curve = LossCurve()
  /// The errors of the operands of measured steps.
  public private(set) var operandErrors = OperandErrors()
  /// What was first not finite in the step that ended the run; `nil` for runs that did not diverge, or
  /// did so before a checkpoint that they were restored from.
  public private(set) var notFinite: NotFinite?
  private let tape: Tape

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - model: with its recipe.
  ///   - source: where batches come from.
  ///   - options: how it is trained.
  ///   - seed: of the random bits of quantization.
  /// - Precondition: at least 0 steps, and positive intervals, numbers of batches and norms.
  public init(
    _ model: any LanguageModel, on source: any TokenSource, options: TrainingOptions,
    seed: UInt32
  ) {
    options.requireUsable()
    self.model = model
    self.source = source
    self.options = options
    self.seed = seed
    optimizer = options.optimizer.make(model.parameters)
    tape = Tape(
      parallelism: options.parallelism,
      quantization: StepQuantization(seed: seed, arithmetic: options.arithmetic))
  }

  /// The bytes of activations and gradients of a step.
  public var activationByteCount: Int { tape.activationByteCount }

  /// Whether no step is left: all are taken, or one of them diverged.
  public var isFinished: Bool {
    step >= options.stepCount || curve.rows.last.map { !$0.isFinite } ?? false
  }

  /// What the steps so far came to.
  public var outcome: TrainingOutcome {
    TrainingOutcome(curve, tokenCount: source.batchCount * source.contextCount)
  }

  /// Takes all steps that are left.
  @discardableResult
  public func run() -> TrainingOutcome {
    while advance() != nil {}
    return outcome
  }

  /// Takes a step, and looks at the validation data after it where that is due.
  ///
  /// A step whose loss or gradient is not finite leaves the parameters as they are and is the last.
  ///
  /// - Returns: the step's row of the curve; `nil` if no step was left.
  public func advance() -> LossCurve.Row? {
    guard !isFinished else { return nil }
    let batch = source.trainingBatch(step: step)
    let rate = options.schedule.rate(step: step)
    var (loss, norm) = (Float.nan, Double.nan)
    let time = ContinuousClock().measure { (loss, norm) = takeStep(batch, rate: Float(rate)) }
    var row = LossCurve.Row(
      step: step, trainingLoss: Double(loss), learningRate: rate, gradientNorm: norm,
      tokensPerSecond: Double(batch.tokens.count) / max(time / .seconds(1), 1e-9))
    let isLook =
      (step + 1) % options.validationInterval == 0 || step + 1 == options.stepCount
    if isLook && row.isFinite {
      row.validationLoss = validationLoss()
      if !row.isFinite { notFinite = firstNotFiniteInValidation() }
    }
    curve.append(row)
    step += 1
    return row
  }

  /// - Returns: the loss before the step and the norm of the gradients.
  private func takeStep(_ batch: TokenBatch, rate: Float) -> (loss: Float, norm: Double) {
    tape.quantization.draws.step = step
    let isMeasured =
      options.measurementInterval.map {
        (step + 1) % $0 == 0 || step == 0 || step + 1 == options.stepCount
      } ?? false
    tape.quantization.errors = isMeasured ? operandErrors : nil
    defer {
      operandErrors = tape.quantization.errors ?? operandErrors
      tape.quantization.errors = nil
    }
    let loss = model.loss(of: batch, on: tape)
    let value = loss.values[0]
    defer { tape.reset() }
    guard value.isFinite else {
      notFinite = tape.firstNotFinite(model.parameters)
      return (value, .nan)
    }
    tape.backward(from: loss)
    guard optimizer.gradientNorm().isFinite else {
      notFinite = tape.firstNotFinite(model.parameters)
      return (value, .infinity)
    }
    let norm = optimizer.step(
      learningRate: rate, clippingNorm: options.clippingNorm, parallelism: options.parallelism)
    for quantization in model.quantizations { quantization.endStep() }
    return (value, norm)
  }

  /// The mean loss over validation batches.
  public func validationLoss() -> Double {
    tape.withoutRecording {
      var (sum, count) = (0.0, 0)
      for index in 0..<options.validationBatchCount {
        let batch = source.validationBatch(index: index)
        sum += Double(model.loss(of: batch, on: tape).values[0]) * Double(batch.countedTargets)
        count += batch.countedTargets
        tape.reset()
      }
      return count == 0 ? .nan : sum / Double(count)
    }
  }

  /// What was first not finite where the validation loss is not; recomputes batches up to that one.
  private func firstNotFiniteInValidation() -> NotFinite? {
    for index in 0..<options.validationBatchCount {
      defer { tape.reset() }
      let loss = model.loss(of: source.validationBatch(index: index), on: tape)
      if !loss.values[0].isFinite { return tape.firstNotFinite(model.parameters) }
    }
    return nil
  }
}
