public import BlockFormats

/// How a model is trained.
public struct TrainingOptions: Sendable {
  /// The steps.
  public var stepCount: Int
  /// The learning rate of each.
  public var schedule: LearningRateSchedule
  /// Gradients of a larger norm are scaled down to it; `nil` for none.
  public var clippingNorm: Double?
  /// Steps between two looks at the validation data, which also come at the end.
  public var validationInterval: Int
  /// The batches of such a look.
  public var validationBatchCount: Int
  /// How many threads may work; never changes a result.
  public var parallelism: Parallelism

  /// Creates options.
  public init(
    stepCount: Int, schedule: LearningRateSchedule, clippingNorm: Double? = 1,
    validationInterval: Int = 100, validationBatchCount: Int = 8,
    parallelism: Parallelism = .allCores
  ) {
    self.stepCount = stepCount
    self.schedule = schedule
    self.clippingNorm = clippingNorm
    self.validationInterval = validationInterval
    self.validationBatchCount = validationBatchCount
    self.parallelism = parallelism
  }
}

/// What a run came to.
public struct TrainingOutcome: Sendable {
  /// The losses on the way.
  public var curve: LossCurve
  /// The mean loss over the validation batches after the last step, in nats for each counted target;
  /// NaN if the run diverged.
  public var validationLoss: Double
  /// The step whose loss was not finite, which ended the run.
  public var divergedAt: Int?
  /// The median seconds of a step, without looks at the validation data.
  public var stepSeconds: Double
}

/// Trains a model step by step.
///
/// A run is a function of model, source, options and seed: neither threads nor instruction sets
/// change a bit of it.
public final class Trainer {
  /// The model.
  public let model: any LanguageModel
  /// Where batches come from.
  public let source: any TokenSource
  /// How it is trained.
  public let options: TrainingOptions
  /// The optimizer.
  public let optimizer: AdamW
  /// The steps taken.
  public private(set) var step = 0
  private let tape: Tape

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - model: with its recipe.
  ///   - source: where batches come from.
  ///   - options: how it is trained.
  ///   - seed: of the random bits of quantization.
  public init(
    _ model: any LanguageModel, on source: any TokenSource, options: TrainingOptions,
    seed: UInt32
  ) {
    self.model = model
    self.source = source
    self.options = options
    optimizer = AdamW(model.parameters)
    tape = Tape(parallelism: options.parallelism)
    tape.streams = RandomStreams(seed: seed)
  }

  /// The bytes of activations and gradients of a step.
  public var activationByteCount: Int { tape.activationByteCount }

  /// Takes all steps that are left.
  ///
  /// - Parameter progress: called after each step with its row of the curve.
  public func run(progress: (LossCurve.Row) -> Void = { _ in }) -> TrainingOutcome {
    var outcome = TrainingOutcome(curve: LossCurve(), validationLoss: .nan, stepSeconds: .nan)
    var seconds: [Double] = []
    let clock = ContinuousClock()
    while step < options.stepCount {
      let batch = source.trainingBatch(step: step)
      var (loss, norm) = (Float.nan, Double.nan)
      let rate = options.schedule.rate(step: step)
      let time = clock.measure { (loss, norm) = takeStep(batch, rate: Float(rate)) }
      seconds.append(time / .seconds(1))
      let isLook =
        (step + 1) % options.validationInterval == 0 || step + 1 == options.stepCount
      let isFinite = loss.isFinite && norm.isFinite
      let row = LossCurve.Row(
        step: step, trainingLoss: Double(loss),
        validationLoss: isLook && isFinite ? validationLoss() : nil, learningRate: rate,
        gradientNorm: norm,
        tokensPerSecond: Double(batch.tokens.count) / max(time / .seconds(1), 1e-9))
      outcome.curve.append(row)
      progress(row)
      step += 1
      guard isFinite else {
        outcome.divergedAt = row.step
        break
      }
      outcome.validationLoss = row.validationLoss ?? .nan
    }
    seconds.sort()
    if !seconds.isEmpty { outcome.stepSeconds = seconds[seconds.count / 2] }
    return outcome
  }

  /// Takes a step; parameters stay as they are if loss or gradients are not finite.
  ///
  /// - Returns: the loss before the step and the norm of the gradients.
  private func takeStep(_ batch: TokenBatch, rate: Float) -> (loss: Float, norm: Double) {
    tape.step = step
    let loss = model.loss(of: batch, on: tape)
    let value = loss.values[0]
    defer { tape.reset() }
    guard value.isFinite else { return (value, .nan) }
    tape.backward(from: loss)
    guard optimizer.gradientNorm().isFinite else { return (value, .infinity) }
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
}
