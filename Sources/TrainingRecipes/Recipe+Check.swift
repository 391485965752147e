import QuantizedLinearAlgebra

/// What a recipe must agree with in a model, checked before anything is trained under it.
extension Recipe {
  /// Refuses a recipe whose products would be wrong for a model, or whose rules mean layers that the
  /// model does not have.
  ///
  /// Both operands of a product must carry the same transform, or the product is one of differently
  /// rotated operands, and the block length of one must divide that of the other; and tensors outside
  /// products of two (embeddings, scans) can carry none.
  ///
  /// Every name and every block number of a rule must be the model's, and a rule must match an operand
  /// of the model. One that says neither names nor numbers may also be about kinds of layers that the
  /// model does not have at all, since recipes serve several models: `idleRules(in:)` lists these. Of
  /// the rules of a recipe at least one must match.
  ///
  /// `StackedModel` does this for all its layers.
  ///
  /// - Parameter places: the layers of the model.
  public func check(_ places: [LayerPlace]) throws(RecipeError) {
    for place in places { try check(place) }
    try checkMatches(in: places)
  }

  /// The rules that match nothing in a model because it has no layers of their kinds.
  ///
  /// - Parameter places: the layers of the model, which the recipe suits.
  public func idleRules(in places: [LayerPlace]) -> [RuleReference] {
    let roles = places.flatMap(\.roles)
    return rules.indices.filter { !roles.contains(where: rules[$0].matches) }.map(reference)
  }

  /// Refuses choices that make products of one layer wrong.
  ///
  /// Whether names and numbers in rules are those of a model, only a check of all its layers tells.
  ///
  /// - Parameter place: the layer.
  public func check(_ place: LayerPlace) throws(RecipeError) {
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

  /// Refuses operands whose blocks do not align along the contraction axis, whatever its length.
  private func checkAlignment(
    _ a: QuantizationChoice, _ b: QuantizationChoice, _ place: LayerPlace, _ product: ProductRole
  ) throws(RecipeError) {
    do throws(ProductError) {
      _ = try ProductDefinition(a: a.operandFormat, b: b.operandFormat, depth: Recipe.endlessAxis)
    } catch {
      throw .unalignedBlocks(place, product, a.operandFormat.id, b.operandFormat.id)
    }
  }

  /// The length of an axis that no block spans, so that none is taken for the whole axis.
  private static let endlessAxis = 1 << 40

  // MARK: - Rules without a match

  private func checkMatches(in places: [LayerPlace]) throws(RecipeError) {
    let roles = places.flatMap(\.roles)
    var matchCount = 0
    for (index, rule) in rules.enumerated() {
      try checkNamesAndNumbers(of: rule, reference(index), places)
      if roles.contains(where: rule.matches) {
        matchCount += 1
      } else if !rule.mayBeIdle(in: places) {
        throw .unmatchedRule(reference(index))
      }
    }
    if matchCount == 0 && !rules.isEmpty { throw .unmatchedRecipe(name) }
  }

  private func checkNamesAndNumbers(
    of rule: RecipeRule, _ reference: RuleReference, _ places: [LayerPlace]
  ) throws(RecipeError) {
    for name in rule.names?.sorted() ?? [] {
      guard let place = places.first(where: { $0.name == name }) else {
        let near = Recipe.nearest(to: name, in: places.map(\.name))
        throw .unknownLayer(name, reference, near: near)
      }
      guard place.roles.contains(where: rule.matches) else {
        throw .excludedLayer(name, reference)
      }
    }
    if case .only(let numbers) = rule.blocks {
      let count = places.compactMap(\.block?.count).max() ?? 0
      for number in numbers.sorted() where !(0..<count).contains(number) {
        throw .unknownBlock(number, reference, count: count)
      }
    }
  }

  private func reference(_ index: Int) -> RuleReference {
    RuleReference(recipe: name, number: index + 1, conditions: rules[index].conditions)
  }

  /// The names that begin and end most like another, at most four.
  private static func nearest(to name: String, in names: [String]) -> [String] {
    func likeness(_ other: String) -> Int {
      let head = zip(name, other).prefix { $0 == $1 }.count
      let tail = zip(name.reversed(), other.reversed()).prefix { $0 == $1 }.count
      return head + min(tail, min(name.count, other.count) - head)
    }
    let most = names.map(likeness).max() ?? 0
    return most < 2 ? [] : Array(names.filter { likeness($0) == most }.prefix(4))
  }
}

extension RecipeRule {
  /// Whether the rule is about kinds of layers that a model does not have, or about some of its blocks
  /// where it has none.
  fileprivate func mayBeIdle(in places: [LayerPlace]) -> Bool {
    if case .only = blocks { return false }
    guard names == nil else { return false }
    var anywhere = self
    anywhere.blocks = nil
    let kinds = LayerKind.allCases.filter { LayerPlace($0).roles.contains(where: anywhere.matches) }
    let isAbsent = !places.contains { kinds.contains($0.kind) }
    let hasNoBlocks = blocks != nil && !places.contains { $0.block != nil }
    return !kinds.isEmpty && (isAbsent || hasNoBlocks)
  }
}

/// A rule of a recipe, for messages.
public struct RuleReference: Hashable, Sendable, CustomStringConvertible {
  /// The name of the recipe.
  public let recipe: String
  /// The place among its rules, those of a base included, from 1.
  public let number: Int
  /// What the rule is about.
  public let conditions: String

  /// Such as `rule 3 of recipe 'mine' (mlp_up; weight)`.
  public var description: String { "rule \(number) of recipe '\(recipe)' (\(conditions))" }
}
