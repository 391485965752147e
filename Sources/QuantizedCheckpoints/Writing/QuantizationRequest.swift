public import BlockFormats

/// What to make of the tensors of a checkpoint.
public struct QuantizationRequest: Sendable {
  /// Whose way of storing.
  public var dialect: Dialect
  /// The format of a tensor by its name; nil for one that is left alone.
  ///
  /// Asked only for tensors that are quantized by default or included.
  public var format: @Sendable (_ name: String) throws -> (any BlockFormat)?
  /// Whether a tensor is quantized that is left alone by default, such as an embedding; nil for the default.
  public var isChosen: @Sendable (_ name: String) throws -> Bool?
  /// What is done with tensors that are quantized already.
  public var requantization = Requantization.refused
  /// How many threads may work.
  public var parallelism = Parallelism.allCores

  /// What is done with tensors that are quantized already.
  public enum Requantization: Sendable {
    /// The work is refused: what was lost once is lost twice.
    case refused
    /// They are decoded and encoded again.
    case allowed
  }

  /// A request for one format.
  public init(dialect: Dialect, format: some BlockFormat) {
    self.dialect = dialect
    self.format = { _ in format }
    isChosen = { _ in nil }
  }
}

extension CheckpointTensor {
  /// Whether a tensor is the weight of a linear layer by its name, and thus quantized where nobody says
  /// otherwise: a matrix called `MODULE.weight` that is no embedding, no norm, and not the output layer.
  public var isQuantizedByDefault: Bool {
    guard shape.count >= 2, name.hasSuffix(".weight") || quantizedStorage != nil else {
      return false
    }
    let kept = ["embed", "norm", "lm_head", "wte", "wpe", "position", "router"]
    let name = name.lowercased()
    return !kept.contains(where: name.contains)
      && !["output.weight", "score.weight"].contains(name)
  }
}
