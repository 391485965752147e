import TrainingRecipes

/// Layers of made-up models, for tests.
enum ModelPlaces {
  /// A hybrid with a layer of every kind: embedding, blocks of all layers, prediction layer, head.
  static func everyKind(blocks: Int) -> [LayerPlace] {
    let outside: Set<LayerKind> = [.embedding, .multiTokenPrediction, .head]
    let inside = LayerKind.allCases.filter { !outside.contains($0) }
    return [LayerPlace(.embedding)]
      + (0..<blocks).flatMap { index in
        inside.map {
          LayerPlace($0, block: BlockPosition(index, of: blocks), name: "\(index).\($0.rawValue)")
        }
      } + [LayerPlace(.multiTokenPrediction), LayerPlace(.head)]
  }

  /// A role of a layer in a middle block of twenty, or outside the blocks.
  static func role(
    _ kind: LayerKind, _ tensor: TensorRole, _ product: ProductRole, block: Int = 5,
    of count: Int = 20
  ) -> Role {
    let isOutside = [.embedding, .multiTokenPrediction, .head].contains(kind)
    return Role(
      LayerPlace(kind, block: isOutside ? nil : BlockPosition(block, of: count)), tensor, product)
  }
}
