import CallerChecks

/// A Hadamard rotation of an operand along the contraction axis.
///
/// With the same rotation on both operands the exact product is unchanged.
public struct OperandTransform: Hashable, Sendable {
  /// The block lengths there are.
  public static let lengths = [2, 4, 8, 16, 32, 64, 128]

  /// The block length, one of `lengths`.
  public let length: Int
  /// Where the signs come from.
  public let signs: Signs

  /// Where the signs in front of a Hadamard matrix come from.
  public enum Signs: String, NamedChoice {
    /// All +1: a plain Hadamard matrix.
    case positive
    /// One random vector from the run's seed for all layers and steps.
    case perRun = "per_run"
    /// A new random vector for each step, the same for all layers.
    case perStep = "per_step"
  }

  /// Creates a transform.
  ///
  /// - Precondition: `length` is one of `lengths`.
  public init(length: Int, signs: Signs) {
    require(
      OperandTransform.lengths.contains(length),
      "a Hadamard matrix of \(length) is not among \(OperandTransform.lengths)")
    self.length = length
    self.signs = signs
  }
}
