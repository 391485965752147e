import CallerChecks

/// Some of a model's blocks.
public enum BlockSelector: Hashable, Sendable {
  /// The first n blocks.
  case first(Int)
  /// The last n blocks.
  case last(Int)
  /// The last p percent of the blocks, rounded down to a whole number but at least one.
  case lastPercent(Int)
  /// The blocks with these numbers, from 0.
  case only(Set<Int>)

  /// Whether a block is one of them.
  public func contains(_ block: BlockPosition) -> Bool {
    switch self {
    case .first(let count): block.index < count
    case .last(let count): block.count - block.index <= count
    case .lastPercent(let percent):
      block.count - block.index <= max(1, block.count * percent / 100)
    case .only(let indices): indices.contains(block.index)
    }
  }
}

/// Assigns one choice to the roles that meet every condition given.
public struct RecipeRule: Hashable, Sendable {
  /// The kinds of layers; all if `nil`.
  public var layers: Set<LayerKind>?
  /// The blocks; with `nil` all layers, inside blocks and outside.
  public var blocks: BlockSelector?
  /// The exact names of layers; all if `nil`.
  public var names: Set<String>?
  /// The operands; all if `nil`.
  public var tensors: Set<TensorRole>?
  /// The products; all if `nil`.
  public var products: Set<ProductRole>?
  /// What the roles get.
  public var choice: QuantizationChoice

  /// Creates a rule.
  public init(
    _ choice: QuantizationChoice, layers: [LayerKind]? = nil, blocks: BlockSelector? = nil,
    names: [String]? = nil, tensors: [TensorRole]? = nil, products: [ProductRole]? = nil
  ) {
    self.layers = layers.map(Set.init)
    self.blocks = blocks
    self.names = names.map(Set.init)
    self.tensors = tensors.map(Set.init)
    self.products = products.map(Set.init)
    self.choice = choice
  }

  /// Whether a role meets every condition.
  public func matches(_ role: Role) -> Bool {
    guard layers?.contains(role.place.kind) ?? true, tensors?.contains(role.tensor) ?? true,
      products?.contains(role.product) ?? true, names?.contains(role.place.name) ?? true
    else { return false }
    guard let blocks else { return true }
    return role.place.block.map(blocks.contains) ?? false
  }
}
