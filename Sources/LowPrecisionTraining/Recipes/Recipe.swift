import QuantizedLinearAlgebra

/// Which operand of which product of which layer is narrowed how.
///
/// A recipe is a list of rules. The last rule that matches a role decides; a role that no rule
/// matches stays in FP32. So general rules come first and exceptions after them:
///
/// ```swift
/// let recipe = Recipe(
///   name: "mxfp4_mlp", source: "an experiment",
///   rules: [
///     RecipeRule(.bfloat16),
///     RecipeRule(.block(BlockQuantization(.mxfp4)), layers: [.mlpUp, .mlpDown]),
///     RecipeRule(.bfloat16, blocks: .last(1)),
///   ])
/// ```
///
/// Master weights, optimizer state, accumulation and everything between products stay in FP32.
public struct Recipe: Hashable, Sendable {
  /// The name in options and reports.
  public var name: String
  /// Where the recipe was published.
  public var source: String
  /// What differs from the publication, or is left open by it; one sentence each.
  public var notes: [String]
  /// The rules; the last match decides.
  public var rules: [RecipeRule]

  /// Creates a recipe.
  public init(name: String, source: String, notes: [String] = [], rules: [RecipeRule]) {
    self.name = name
    self.source = source
    self.notes = notes
    self.rules = rules
  }

  /// What a role gets.
  public func choice(for role: Role) -> QuantizationChoice {
    rules.last { $0.matches(role) }?.choice ?? .float32
  }

  /// Refuses a recipe whose products would be wrong for a model.
  ///
  /// Both operands of a product must carry the same transform, or the product is one of differently
  /// rotated operands, and the block length of one must divide that of the other; and tensors outside products of two (embeddings, scans) can carry none.
  ///
  /// - Parameter places: the layers of the model.
  public func check(_ places: [LayerPlace]) throws(RecipeError) {
    for place in places {
      if place.kind == .mambaScan, !choice(for: Role(place, .state, .forward)).suitsState {
        throw .unsuitableState(place)
      }
      for product in ProductRole.allCases {
        let choices = place.kind.operands(of: product).map { choice(for: Role(place, $0, product)) }
        let transforms = Set(choices.map(\.transform))
        if transforms.count > 1 { throw .differentTransforms(place, product) }
        let isPlain = choices.allSatisfy { $0.transform == nil && $0.premultiplier == 1 }
        if choices.count != 2 && !isPlain { throw .transformOutsideProduct(place, product) }
        if choices.count == 2 { try checkAlignment(choices[0], choices[1], place, product) }
      }
    }
  }

  /// Refuses operands whose blocks do not align along the contraction axis, whatever its length.
  private func checkAlignment(
    _ a: QuantizationChoice, _ b: QuantizationChoice, _ place: LayerPlace, _ product: ProductRole
  ) throws(RecipeError) {
    // Longer than every block, so that none is taken for the whole axis.
    let depth = 1 << 40
    do throws(ProductError) {
      _ = try ProductDefinition(a: a.operandFormat, b: b.operandFormat, depth: depth)
    } catch {
      throw .unalignedBlocks(place, product, a.operandFormat.id, b.operandFormat.id)
    }
  }
}
