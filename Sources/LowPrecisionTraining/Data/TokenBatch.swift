import CallerChecks

/// Tokens to read, the token to predict at each of them, and which predictions count.
///
/// The three arrays hold `batchCount` rows of `contextCount` elements, row-major. The loss of a
/// batch is Σ mask · (-ln p(target)) / Σ mask.
public struct TokenBatch: Hashable, Sendable {
  /// The number of sequences B.
  public let batchCount: Int
  /// The number of tokens T of a sequence.
  public let contextCount: Int
  /// The input tokens, B · T.
  public let tokens: [Int32]
  /// The token to predict at each input, B · T; also where the mask is 0 a token of the vocabulary.
  public let targets: [Int32]
  /// 1 where the prediction counts, otherwise 0; B · T.
  public let mask: [Float]

  /// Gathers a batch.
  ///
  /// - Precondition: The counts are positive, and each array has B · T elements.
  public init(
    batchCount: Int, contextCount: Int, tokens: [Int32], targets: [Int32], mask: [Float]
  ) {
    require(batchCount > 0 && contextCount > 0, "a batch of \(batchCount) x \(contextCount) tokens")
    let count = batchCount * contextCount
    require(
      tokens.count == count && targets.count == count && mask.count == count,
      "a batch of \(count) tokens got \(tokens.count), \(targets.count) and \(mask.count)")
    self.batchCount = batchCount
    self.contextCount = contextCount
    self.tokens = tokens
    self.targets = targets
    self.mask = mask
  }

  /// The number of predictions that count.
  public var countedTargets: Int { mask.count { $0 != 0 } }
}

extension TokenBatch {
  /// Fills a batch row by row.
  ///
  /// - Parameter fillRow: Receives the number of a row and its tokens, targets and mask, which
  ///   start as zeros.
  init(
    batchCount: Int, contextCount: Int,
    fillRow: (_ row: Int, _ tokens: inout [Int32], _ targets: inout [Int32], _ mask: inout [Float])
      -> Void
  ) {
    var tokens: [Int32] = []
    var targets: [Int32] = []
    var mask: [Float] = []
    for row in 0..<batchCount {
      var rowTokens = [Int32](repeating: 0, count: contextCount)
      var rowTargets = rowTokens
      var rowMask = [Float](repeating: 0, count: contextCount)
      fillRow(row, &rowTokens, &rowTargets, &rowMask)
      tokens += rowTokens
      targets += rowTargets
      mask += rowMask
    }
    self.init(
      batchCount: batchCount, contextCount: contextCount, tokens: tokens, targets: targets,
      mask: mask)
  }
}
