/// A model that predicts the next token of every position.
public protocol LanguageModel: AnyObject {
  /// Every parameter, in a fixed order.
  var parameters: [Parameter] { get }
  /// What the recipe makes of every layer with operands to quantize, in order of use.
  var quantizations: [LayerQuantization] { get }
  /// The logits of B sequences of T tokens over a vocabulary of V: B x T x V.
  func logits(of tokens: [Int32], sequenceCount: Int, on tape: Tape) -> Activation
  /// The mean loss of a batch, in nats for each counted target.
  ///
  /// A model may add to what training minimises, beside the loss that it returns.
  func loss(of batch: TokenBatch, on tape: Tape) -> Activation
}

extension LanguageModel {
  /// The number of numbers that training changes.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The cross-entropy of the logits.
  public func loss(of batch: TokenBatch, on tape: Tape) -> Activation {
    tape.crossEntropy(
      logits(of: batch.tokens, sequenceCount: batch.batchCount, on: tape),
      targets: batch.countedOrNegative)
  }
}

extension TokenBatch {
  /// The token after each position; at the end of a sequence its target, which no later prediction
  /// counts.
  ///
  /// Targets of tasks are answers, not what comes next.
  var nextTokens: [Int32] {
    tokens.indices.map { ($0 + 1) % contextCount == 0 ? targets[$0] : tokens[$0 + 1] }
  }

  /// The targets, those that the mask leaves out below zero.
  var countedOrNegative: [Int32] { zip(targets, mask).map { $1 == 0 ? -1 : $0 } }
}
