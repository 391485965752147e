import CallerChecks
import Foundation

/// Modular arithmetic: the running result of a long sum, modulo a small number.
///
/// The vocabulary is the digits 0 to m - 1, then plus and minus. A sequence alternates digits and
/// operators, each drawn uniformly. At every digit but the first the target is the result so far,
/// modulo m; only these count. Nothing in the sequence states it: a model must keep a state.
///
/// The result follows from the sequence: the floor is 0. As digits are uniform, so is every result,
/// whatever came before: a guess costs ln m.
///
/// Source: after "Modular Arithmetic (Simple)" in Delétang et al., "Neural Networks and the Chomsky
/// Hierarchy", arXiv 2207.02098, without products and with the result asked at every digit.
public struct ModularArithmetic: GeneratedTokenSource {
  /// The number of digits m.
  public let modulus: Int

  let plan: BatchPlan

  /// Describes the task.
  ///
  /// - Precondition: The modulus is at least 2 and the context at least 3.
  public init(modulus: Int = 5, plan: BatchPlan = BatchPlan(contextCount: 128)) {
    require(
      modulus > 1 && plan.contextCount > 2,
      "sums modulo \(modulus) in a context of \(plan.contextCount)")
    self.modulus = modulus
    self.plan = plan
  }

  /// The digits and two operators.
  public var vocabularyCount: Int { modulus + 2 }
  /// 0: the results follow from the sequence.
  public var lossFloor: Double? { 0 }
  /// ln m.
  public var chanceLoss: Double { log(Double(modulus)) }

  func fillRow(
    _ stream: inout SampleStream, _ tokens: inout [Int32], _ targets: inout [Int32],
    _ mask: inout [Float]
  ) {
    var result = 0
    var sign = 1
    for position in 0..<contextCount {
      if position.isMultiple(of: 2) {
        let digit = stream.below(modulus)
        result = (result + sign * digit + modulus) % modulus
        tokens[position] = Int32(digit)
        targets[position] = Int32(result)
        mask[position] = position == 0 ? 0 : 1
      } else {
        let isMinus = stream.below(2)
        sign = 1 - 2 * isMinus
        tokens[position] = Int32(modulus + isMinus)
      }
    }
  }
}
