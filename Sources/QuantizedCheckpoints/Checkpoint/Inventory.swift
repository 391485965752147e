/// What the tensors of a checkpoint are, in numbers.
public struct Inventory: Sendable {
  /// Tensors in block formats.
  public let quantizedCount: Int
  /// Tensors of values as they are.
  public let plainCount: Int
  /// What is wrong with stored tensors, in their order.
  public let findings: [Finding]

  /// Something that is wrong with a stored tensor.
  public struct Finding: Hashable, Sendable {
    /// What is wrong.
    public let kind: Kind
    /// The stored tensor.
    public let name: String
    /// In a few words.
    public let reason: String

    /// The kinds of findings.
    public enum Kind: String, CaseIterable, Sendable {
      /// Codes lack what decodes them.
      case incomplete
      /// Nothing here knows what it is.
      case unclassified
    }
  }

  /// How many findings are of a kind.
  public func count(of kind: Finding.Kind) -> Int { findings.count { $0.kind == kind } }

  /// Whether every quantized tensor has what decodes it.
  public var isComplete: Bool { count(of: .incomplete) == 0 }
}
