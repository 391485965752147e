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
}
