/// A model that predicts the next token of every position.
public protocol LanguageModel: AnyObject {
  /// Every parameter, in a fixed order.
  var parameters: [Parameter] { get }
  /// Every linear layer, in order of use.
  var linearLayers: [Linear] { get }
  /// The logits of B sequences of T tokens over a vocabulary of V: B x T x V.
  func logits(of tokens: [Int32], sequenceCount: Int, on tape: Tape) -> Activation
}

extension LanguageModel {
  /// The number of numbers that training changes.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}

extension Transformer: LanguageModel {}
