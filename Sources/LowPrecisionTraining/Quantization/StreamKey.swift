public import TrainingRecipes

/// The use of a tensor that random bits belong to.
public struct StreamKey: Hashable, Sendable {
  /// The number of the layer in the model, in 0..<2^19.
  public var layer: Int
  /// The operand.
  public var tensor: TensorRole
  /// The product.
  public var product: ProductRole
  /// The training step, in 0..<2^32.
  public var step: Int
  /// Counts uses of one layer within a step, in 0..<2^8: micro-batches, repeated layers.
  public var use: Int

  /// Creates a key.
  public init(layer: Int, tensor: TensorRole, product: ProductRole, step: Int, use: Int = 0) {
    self.layer = layer
    self.tensor = tensor
    self.product = product
    self.step = step
    self.use = use
  }
}

extension TensorRole {
  /// The number in `allCases`; part of the streams' definition.
  var number: Int {
    switch self {
    case .input: 0
    case .weight: 1
    case .outputGradient: 2
    case .u: 3
    case .dt: 4
    case .b: 5
    case .c: 6
    case .state: 7
    }
  }
}

extension ProductRole {
  /// The number in `allCases`; part of the streams' definition.
  var number: Int {
    switch self {
    case .forward: 0
    case .inputGradient: 1
    case .weightGradient: 2
    }
  }
}
