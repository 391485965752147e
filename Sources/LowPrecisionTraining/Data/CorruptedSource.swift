import CallerChecks

/// A source with some of its input tokens replaced by others; targets stay what they are.
///
/// Each token is replaced with probability p, by any other token of the vocabulary, each equally
/// likely. What is replaced depends on the batch's number and on nothing else.
public struct CorruptedSource: TokenSource {
  /// The source.
  public let source: any TokenSource
  /// p.
  public let probability: Double

  /// Wraps a source.
  ///
  /// - Precondition: a probability in 0...1.
  public init(_ source: any TokenSource, probability: Double) {
    require((0...1).contains(probability), "a probability of \(probability)")
    self.source = source
    self.probability = probability
  }

  /// The source's.
  public var vocabularyCount: Int { source.vocabularyCount }
  /// The source's.
  public var batchCount: Int { source.batchCount }
  /// The source's.
  public var contextCount: Int { source.contextCount }
  /// Nobody knows it.
  public var lossFloor: Double? { nil }
  /// The source's.
  public var chanceLoss: Double { source.chanceLoss }

  /// The source's batch of a step, corrupted.
  public func trainingBatch(step: Int) -> TokenBatch {
    corrupted(source.trainingBatch(step: step), step)
  }

  /// The source's validation batch, corrupted.
  public func validationBatch(index: Int) -> TokenBatch {
    corrupted(source.validationBatch(index: index), index)
  }

  private func corrupted(_ batch: TokenBatch, _ number: Int) -> TokenBatch {
    guard vocabularyCount > 1 else { return batch }
    let threshold = UInt64((probability * 0x1p32).rounded())
    let t = batch.contextCount
    var tokens = batch.tokens
    for row in 0..<batch.batchCount {
      var stream = SampleStream(seed: 0, purpose: .corruption, batch: number, row: row)
      for index in row * t..<(row + 1) * t where UInt64(stream.next()) < threshold {
        let other = Int32(stream.below(vocabularyCount - 1))
        tokens[index] = other < tokens[index] ? other : other + 1
      }
    }
    return TokenBatch(
      batchCount: batch.batchCount, contextCount: t, tokens: tokens, targets: batch.targets,
      mask: batch.mask)
  }
}
