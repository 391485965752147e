import CallerChecks

/// Where batches of tokens come from.
///
/// A batch is a pure function of the source and of its number, so that a resumed run sees what an
/// uninterrupted one would have seen, and runs with the same seed see the same data in the same
/// order whatever the recipe.
public protocol TokenSource: Sendable {
  /// The number of tokens; each is at least 0 and below this.
  var vocabularyCount: Int { get }
  /// The number of sequences of a batch.
  var batchCount: Int { get }
  /// The number of tokens of a sequence.
  var contextCount: Int { get }
  /// The lowest loss that any predictor can reach on average, in nats for each counted target, or
  /// nil where nobody knows it.
  var lossFloor: Double? { get }
  /// The loss of a guess that knows which tokens answers can be and nothing else, in nats.
  var chanceLoss: Double { get }

  /// The batch of a training step.
  ///
  /// - Parameter step: From 0 up to 2^32 - 1.
  func trainingBatch(step: Int) -> TokenBatch

  /// A batch that no training step uses; the same for every seed of the training data, so that
  /// runs with different seeds are measured on the same samples.
  ///
  /// - Parameter index: From 0 up to 2^32 - 1.
  func validationBatch(index: Int) -> TokenBatch
}

/// The sizes and the seed that all generated sources share.
public struct BatchPlan: Hashable, Sendable {
  /// The number of sequences of a batch.
  public let batchCount: Int
  /// The number of tokens of a sequence.
  public let contextCount: Int
  /// The seed of the training data.
  public let seed: UInt64

  /// The numbers of sequences and of tokens there are: a product of two is far from overflow.
  private static let counts = 1..<1 << 20

  /// Makes a plan.
  ///
  /// - Precondition: The counts are positive and below 2^20.
  public init(batchCount: Int = 8, contextCount: Int = 256, seed: UInt64 = 0) {
    for count in [batchCount, contextCount] {
      require(Self.counts.contains(count), "a batch of \(batchCount) x \(contextCount) tokens")
    }
    self.batchCount = batchCount
    self.contextCount = contextCount
    self.seed = seed
  }
}

/// A source whose every sequence is drawn from its own stream of random words.
protocol GeneratedTokenSource: TokenSource {
  var plan: BatchPlan { get }

  /// Draws one sequence; the arrays have T elements and start as zeros.
  func fillRow(
    _ stream: inout SampleStream, _ tokens: inout [Int32], _ targets: inout [Int32],
    _ mask: inout [Float])
}

extension GeneratedTokenSource {
  /// The number of sequences of a batch.
  public var batchCount: Int { plan.batchCount }
  /// The number of tokens of a sequence.
  public var contextCount: Int { plan.contextCount }

  /// The batch of a training step.
  public func trainingBatch(step: Int) -> TokenBatch {
    batch(step, seed: plan.seed, purpose: .training)
  }

  /// A batch from the stream that validation alone uses.
  public func validationBatch(index: Int) -> TokenBatch {
    batch(index, seed: 0, purpose: .validation)
  }

  private func batch(_ number: Int, seed: UInt64, purpose: SampleStream.Purpose) -> TokenBatch {
    TokenBatch(batchCount: batchCount, contextCount: contextCount) { row, tokens, targets, mask in
      var stream = SampleStream(seed: seed, purpose: purpose, batch: number, row: row)
      fillRow(&stream, &tokens, &targets, &mask)
    }
  }
}
