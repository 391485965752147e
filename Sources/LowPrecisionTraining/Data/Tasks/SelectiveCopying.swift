import CallerChecks
import Foundation

/// Selective copying: a few words among blanks, to be repeated in order at the end.
///
/// The vocabulary is words, then the blank, then the sign to answer. The last `wordsToCopy` inputs
/// are that sign, and at the i-th of them the target is the i-th word of the sequence; only these
/// count. Words stand at random places before. A model whose dynamics do not depend on its input
/// cannot skip the blanks.
///
/// Every answer stands in the sequence: the floor is 0. Words are drawn uniformly: a guess costs
/// ln(number of words).
///
/// Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv
/// 2312.00752, section 4.1.1, after Jing et al. 2019.
public struct SelectiveCopying: GeneratedTokenSource {
  /// The number of tokens: words, blank and sign.
  public let vocabularyCount: Int
  /// The number of words of a sequence.
  public let wordsToCopy: Int

  let plan: BatchPlan

  /// Describes the task.
  ///
  /// - Precondition: There is a word, and the context has room for the words and their copies.
  public init(
    vocabularyCount: Int = 18, wordsToCopy: Int = 16, plan: BatchPlan = BatchPlan(contextCount: 256)
  ) {
    require(
      vocabularyCount > 2 && wordsToCopy > 0 && 2 * wordsToCopy <= plan.contextCount,
      "\(wordsToCopy) words of \(vocabularyCount) tokens in a context of \(plan.contextCount)")
    self.vocabularyCount = vocabularyCount
    self.wordsToCopy = wordsToCopy
    self.plan = plan
  }

  /// 0: the answers stand in the sequence.
  public var lossFloor: Double? { 0 }
  /// ln(number of words).
  public var chanceLoss: Double { log(Double(vocabularyCount - 2)) }

  func fillRow(
    _ stream: inout SampleStream, _ tokens: inout [Int32], _ targets: inout [Int32],
    _ mask: inout [Float]
  ) {
    let blank = Int32(vocabularyCount - 2)
    let sign = blank + 1
    let answers = contextCount - wordsToCopy
    var places = Array(0..<answers)
    stream.shuffle(&places, count: wordsToCopy)
    for place in 0..<answers { tokens[place] = blank }
    for (index, place) in places.prefix(wordsToCopy).sorted().enumerated() {
      let word = Int32(stream.below(vocabularyCount - 2))
      tokens[place] = word
      tokens[answers + index] = sign
      targets[answers + index] = word
      mask[answers + index] = 1
    }
  }
}
