import CallerChecks

/// A tensor that a layer's products read.
public enum TensorRole: String, NamedChoice {
  /// The activations that enter the layer.
  case input
  /// The layer's parameters.
  case weight
  /// The gradient of the loss by the layer's output.
  case outputGradient = "output_gradient"
  /// The scan's input, x of the state-space equations.
  case u
  /// The scan's step sizes, after softplus.
  case dt
  /// The scan's input map B.
  case b
  /// The scan's output map C.
  case c
  /// The scan's state.
  case state
}

/// One of the three products of a linear layer; contraction axes differ, and so do blocks.
public enum ProductRole: String, NamedChoice {
  /// Output = input · weight^T, contracted over input features.
  case forward
  /// Input gradient = output gradient · weight, contracted over output features.
  case inputGradient = "input_gradient"
  /// Weight gradient = output gradient^T · input, contracted over tokens.
  case weightGradient = "weight_gradient"
}

/// Which of a model's blocks a layer belongs to.
public struct BlockPosition: Hashable, Sendable {
  /// The block's number, from 0.
  public let index: Int
  /// The number of blocks of the model.
  public let count: Int

  /// Creates a position.
  ///
  /// - Precondition: `index` is in 0..<`count`.
  public init(_ index: Int, of count: Int) {
    require(index >= 0 && index < count, "block \(index) is outside 0..<\(count)")
    self.index = index
    self.count = count
  }
}

/// A layer as recipes see it: what it does and where it is.
public struct LayerPlace: Hashable, Sendable {
  /// What the layer does.
  public let kind: LayerKind
  /// Its block; `nil` for layers outside the blocks: embedding, head, multi-token prediction.
  public let block: BlockPosition?
  /// Its name in the model, for rules that name layers.
  public let name: String

  /// Creates a place.
  public init(_ kind: LayerKind, block: BlockPosition? = nil, name: String = "") {
    self.kind = kind
    self.block = block
    self.name = name
  }

  /// The layer's roles, in the order of its products and their operands.
  public var roles: [Role] {
    ProductRole.allCases.flatMap { product in
      kind.operands(of: product).map { Role(self, $0, product) }
    }
  }
}

extension LayerPlace: CustomStringConvertible {
  /// The kind, the name and the block.
  public var description: String {
    var text = kind.rawValue
    if !name.isEmpty { text += " '\(name)'" }
    if let block { text += " of block \(block.index) of \(block.count)" }
    return text
  }
}

/// One use of one tensor: what a recipe assigns a choice to.
///
/// The axis of blocks is not part of it: it is the contraction axis of the product, and the last one
/// of what is no operand of a product of two (rows of an embedding and their gradient, scans).
public struct Role: Hashable, Sendable {
  /// The layer.
  public let place: LayerPlace
  /// The operand.
  public let tensor: TensorRole
  /// The product that reads it.
  public let product: ProductRole

  /// Creates a role.
  ///
  /// - Precondition: the layer's product has such an operand.
  public init(_ place: LayerPlace, _ tensor: TensorRole, _ product: ProductRole) {
    require(
      place.kind.operands(of: product).contains(tensor),
      "\(product.rawValue) of \(place.kind.rawValue) has no operand \(tensor.rawValue)")
    self.place = place
    self.tensor = tensor
    self.product = product
  }
}
