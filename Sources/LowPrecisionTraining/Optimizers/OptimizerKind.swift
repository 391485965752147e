/// The optimizers there are by name, with their usual constants.
public enum OptimizerKind: String, Hashable, Sendable, CaseIterable {
  /// AdamW with β₁ = 0.9, β₂ = 0.95, ε = 10⁻⁸ and a weight decay of 0.1.
  case adamW = "adamw"
  /// Gradient descent with a momentum of 0.9.
  case sgd

  /// An optimizer that has taken no step.
  func make(_ parameters: [Parameter]) -> any Optimizer {
    switch self {
    case .adamW: AdamW(parameters)
    case .sgd: SGD(parameters)
    }
  }
}
