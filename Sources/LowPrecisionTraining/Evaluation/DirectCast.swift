public import BlockFormats
import CallerChecks

/// What a model loses when its operands are narrowed without training for it.
///
/// Both models read the same validation batches: the loss is the narrowed model's, the comparison is
/// of its logits with those of the reference, position by position, where targets count.
public struct DirectCast: Sendable {
  /// The mean loss, in nats for each counted target.
  public let loss: Double
  /// The narrowed model's logits against the reference's.
  public let logits: LogitComparison

  /// Makes delayed scales from one training batch, as there are no earlier steps.
  public static func calibrate(
    _ model: any LanguageModel, on source: any TokenSource,
    parallelism: Parallelism = .allCores
  ) {
    guard model.quantizations.contains(where: \.hasDelayedScales) else { return }
    let tape = Tape(parallelism: parallelism)
    _ = model.loss(of: source.trainingBatch(step: 0), on: tape)
    for quantization in model.quantizations { quantization.endStep() }
  }

  /// Runs the reference and every model on the same batches.
  ///
  /// - Parameters:
  ///   - models: with their recipes, and the parameters of the reference.
  ///   - reference: the model in FP32.
  ///   - source: where batches come from.
  ///   - batchCount: the number of validation batches.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Returns: what each model loses, in their order.
  /// - Precondition: at least one batch.
  public static func casts(
    of models: [any LanguageModel], against reference: any LanguageModel,
    on source: any TokenSource, batchCount: Int, parallelism: Parallelism = .allCores
  ) -> [DirectCast] {
    require(batchCount > 0, "\(batchCount) validation batches")
    let tape = Tape(parallelism: parallelism)
    var sums = models.map { _ in (loss: 0.0, logits: LogitComparison()) }
    var count = 0
    tape.withoutRecording {
      for index in 0..<batchCount {
        let batch = source.validationBatch(index: index)
        func logits(_ model: any LanguageModel) -> Activation {
          model.logits(of: batch.tokens, sequenceCount: batch.batchCount, on: tape)
        }
        let expected = logits(reference)
        for (number, model) in models.enumerated() {
          tape.memory.temporarily {
            let found = logits(model)
            sums[number].logits.add(
              reference: UnsafeBufferPointer(start: expected.values, count: expected.count),
              candidate: UnsafeBufferPointer(start: found.values, count: found.count),
              vocabularyCount: source.vocabularyCount, mask: batch.mask)
            let loss = tape.crossEntropy(found, targets: batch.countedOrNegative)
            sums[number].loss += Double(loss.values[0]) * Double(batch.countedTargets)
          }
        }
        count += batch.countedTargets
        tape.reset()
      }
    }
    return sums.map { DirectCast(loss: $0.loss / Double(count), logits: $0.logits) }
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
