import CallerChecks
import Foundation

/// Induction heads: the word that followed a sign the first time is to follow it again.
///
/// The vocabulary is words, followed by a sign. A sequence is random words, but the sign stands once
/// at a random place and again at the end, where the word that followed it before is to be said;
/// only this counts. A model that learns the rule at one length can be tried at a longer one.
///
/// The answer stands in the sequence: the floor is 0. Words are drawn uniformly: a guess costs
/// ln(number of words).
///
/// Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv
/// 2312.00752, section 4.1.2, after Olsson et al. 2022.
public struct InductionHeads: GeneratedTokenSource {
  /// The number of tokens: words and the sign.
  public let vocabularyCount: Int

  let plan: BatchPlan

  /// Describes the task.
  ///
  /// - Precondition: There is a word, and the context has at least 3 tokens.
  public init(vocabularyCount: Int = 17, plan: BatchPlan = BatchPlan(contextCount: 256)) {
    require(
      vocabularyCount > 1 && plan.contextCount > 2,
      "\(vocabularyCount) tokens in a context of \(plan.contextCount)")
    self.vocabularyCount = vocabularyCount
    self.plan = plan
  }

  /// 0: the answer stands in the sequence.
  public var lossFloor: Double? { 0 }
  /// ln(number of words).
  public var chanceLoss: Double { log(Double(vocabularyCount - 1)) }

  func fillRow(
    _ stream: inout SampleStream, _ tokens: inout [Int32], _ targets: inout [Int32],
    _ mask: inout [Float]
  ) {
    let last = contextCount - 1
    let sign = Int32(vocabularyCount - 1)
    for position in 0..<last { tokens[position] = Int32(stream.below(vocabularyCount - 1)) }
    // A word must lie between the two signs.
    let place = stream.below(last - 1)
    tokens[place] = sign
    tokens[last] = sign
    for position in 0..<last { targets[position] = tokens[position + 1] }
    targets[last] = tokens[place + 1]
    mask[last] = 1
  }
}
