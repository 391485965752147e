public import TrainingRecipes

/// An optimizer by name, with its usual constants.
///
/// Each is declared beside its optimizer, in the optimizer's file; `allCases` lists them.
public struct OptimizerKind: NamedChoice {
  /// Every optimizer that options and checkpoints can name, in the order of the help.
  public static let allCases: [OptimizerKind] = [.adamW, .sgd]

  /// The id.
  public let rawValue: String
  /// Makes an optimizer that has taken no step.
  let make: @Sendable ([Parameter]) -> any Optimizer

  /// Names an optimizer, such as one of the caller's own for `TrainingOptions`.
  ///
  /// - Parameters:
  ///   - id: the name; kinds of the same name are equal.
  ///   - make: makes an optimizer of some parameters that has taken no step.
  public init(id: String, make: @escaping @Sendable ([Parameter]) -> any Optimizer) {
    rawValue = id
    self.make = make
  }

  /// The listed optimizer of an id; `nil` for any other text.
  public init?(rawValue: String) {
    guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = kind
  }

  /// Whether two kinds have the same id.
  public static func == (a: OptimizerKind, b: OptimizerKind) -> Bool { a.rawValue == b.rawValue }

  /// Hashes the id.
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
