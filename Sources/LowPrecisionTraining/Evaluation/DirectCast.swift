public import BlockFormats

/// What a model loses when its operands are narrowed without training for it.
///
/// Both models read the same validation batches: the loss is the narrowed model's, the comparison is
/// of its logits with those of the reference, position by position, where targets count.
public struct DirectCast: Sendable {
  /// The mean loss, in nats for each counted target.
  public let loss: Double
  /// The narrowed model's logits against the reference's.
  public let logits: LogitComparison

  /// Runs both models.
  ///
  /// - Parameters:
  ///   - model: with the recipe, and the parameters of the reference.
  ///   - reference: the model in FP32.
  ///   - source: where batches come from.
  ///   - batchCount: the number of validation batches.
  ///   - parallelism: how many threads may work; never changes a result.
  public init(
    of model: any LanguageModel, against reference: any LanguageModel,
    on source: any TokenSource, batchCount: Int, parallelism: Parallelism = .allCores
  ) {
    let tape = Tape(parallelism: parallelism)
    if model.quantizations.contains(where: \.hasDelayedScales) {
      // Scales of earlier steps are not there: those of one training batch take their place.
      _ = model.loss(of: source.trainingBatch(step: 0), on: tape)
      for quantization in model.quantizations { quantization.endStep() }
      tape.reset()
    }
    var comparison = LogitComparison()
    var (sum, count) = (0.0, 0)
    tape.withoutRecording {
      for index in 0..<batchCount {
        let batch = source.validationBatch(index: index)
        let (a, b) = (
          reference.logits(of: batch.tokens, sequenceCount: batch.batchCount, on: tape),
          model.logits(of: batch.tokens, sequenceCount: batch.batchCount, on: tape)
        )
        comparison.add(
          reference: UnsafeBufferPointer(start: a.values, count: a.count),
          candidate: UnsafeBufferPointer(start: b.values, count: b.count),
          vocabularyCount: source.vocabularyCount, mask: batch.mask)
        let loss = tape.crossEntropy(b, targets: batch.countedOrNegative)
        sum += Double(loss.values[0]) * Double(batch.countedTargets)
        count += batch.countedTargets
        tape.reset()
      }
    }
    loss = sum / Double(count)
    logits = comparison
  }
}

extension LayerQuantization {
  /// Whether some scales come from earlier steps.
  var hasDelayedScales: Bool { !scalings.isEmpty }
}

extension LanguageModel {
  /// Takes the parameters of a checkpoint, whatever else it holds.
  ///
  /// - Parameter path: names the checkpoint in errors.
  /// - Throws: `.mismatch` if a parameter is missing or of another shape.
  public func takeParameters(
    of checkpoint: Checkpoint, path: String
  ) throws(CheckpointError) {
    var mismatch = CheckpointMismatch()
    for parameter in parameters {
      guard let array = checkpoint.arrays[parameter.name] else {
        mismatch.missing.append(parameter.name)
        continue
      }
      if array.shape != parameter.shape {
        mismatch.add(parameter.name, parameter.shape, array.shape)
      }
    }
    if !mismatch.isEmpty { throw .mismatch(path: path, mismatch.sorted()) }
    for parameter in parameters {
      parameter.replace(with: checkpoint.arrays[parameter.name]?.values ?? [])
    }
  }
}
