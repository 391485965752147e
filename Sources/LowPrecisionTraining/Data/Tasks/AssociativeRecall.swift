import CallerChecks
import Foundation

/// Multi-query associative recall: pairs of a key and a value, then keys whose values are asked.
///
/// The vocabulary is keys, followed by as many values. A sequence starts with `pairCount` pairs of
/// different keys and any values; the rest is one query after the other, a key of the pairs with its
/// value. The value after the key of a query counts, nothing else. The number of pairs a state
/// can hold separates models with a fixed state from attention.
///
/// Every answer stands in the sequence: the floor is 0. Values are drawn uniformly: a guess costs
/// ln(number of values).
///
/// Source: Arora et al., "Zoology: Measuring and Improving Recall in Efficient Language Models",
/// arXiv 2312.04927; there queries follow at distances of a power law, here at once and repeatedly.
public struct AssociativeRecall: GeneratedTokenSource {
  /// The number of tokens, half of them keys.
  public let vocabularyCount: Int
  /// The number of pairs of a sequence.
  public let pairCount: Int

  let plan: BatchPlan

  /// Describes the task.
  ///
  /// - Precondition: The vocabulary is even, has a key for each pair, and the context has room for
  ///   the pairs and a query.
  public init(
    vocabularyCount: Int = 128, pairCount: Int = 16, plan: BatchPlan = BatchPlan(contextCount: 128)
  ) {
    require(
      pairCount > 0 && vocabularyCount.isMultiple(of: 2) && pairCount <= vocabularyCount / 2
        && 2 * pairCount + 2 <= plan.contextCount,
      "\(pairCount) pairs of \(vocabularyCount) tokens in a context of \(plan.contextCount)")
    self.vocabularyCount = vocabularyCount
    self.pairCount = pairCount
    self.plan = plan
  }

  /// 0: the answers stand in the sequence.
  public var lossFloor: Double? { 0 }
  /// ln(number of values).
  public var chanceLoss: Double { log(Double(vocabularyCount / 2)) }

  func fillRow(
    _ stream: inout SampleStream, _ tokens: inout [Int32], _ targets: inout [Int32],
    _ mask: inout [Float]
  ) {
    let half = vocabularyCount / 2
    var keys = Array(0..<half)
    stream.shuffle(&keys, count: pairCount)
    let values = (0..<pairCount).map { _ in half + stream.below(half) }
    for start in stride(from: 0, to: contextCount, by: 2) {
      let pair = start / 2 < pairCount ? start / 2 : stream.below(pairCount)
      tokens[start] = Int32(keys[pair])
      targets[start] = Int32(values[pair])
      mask[start] = start / 2 < pairCount ? 0 : 1
      if start > 0 { targets[start - 1] = tokens[start] }
      if start + 1 < contextCount { tokens[start + 1] = Int32(values[pair]) }
    }
  }
}
