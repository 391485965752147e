import BlockFormats
import CallerChecks
public import TrainingRecipes

/// What a recipe makes of the operands of one layer, with what it keeps from step to step.
public final class LayerQuantization {
  /// The layer.
  public let place: LayerPlace
  /// The number of the layer in the model, which its random bits depend on.
  public let number: Int
  private let choices: [Use: QuantizationChoice]
  var scalings: [Use: DelayedScale] = [:]

  /// An operand of a product.
  struct Use: Hashable {
    let tensor: TensorRole
    let product: ProductRole
  }

  /// Asks a recipe about every operand of a layer.
  ///
  /// - Parameters:
  ///   - place: the layer.
  ///   - number: its number in the model.
  ///   - recipe: the recipe.
  /// - Throws: what `Recipe.check(_:)` finds wrong with the products of this layer. Whether names and
  ///   numbers in rules are those of a model, only a check of all its layers tells.
  public convenience init(
    _ place: LayerPlace, number: Int, recipe: Recipe
  ) throws(RecipeError) {
    try recipe.check(place)
    self.init(place, number: number, uncheckedRecipe: recipe)
  }

  /// The same without a check, for models, which check a recipe for all their layers together.
  init(_ place: LayerPlace, number: Int, uncheckedRecipe recipe: Recipe) {
    self.place = place
    self.number = number
    choices = Dictionary(
      uniqueKeysWithValues: place.roles.map {
        (Use(tensor: $0.tensor, product: $0.product), recipe.choice(for: $0))
      })
    for (use, choice) in choices {
      guard case .block(let block) = choice, case .delayed(let rule) = block.scaling
      else { continue }
      scalings[use] = DelayedScale(
        rule, greatestElement: Float(block.format.element.greatestFiniteMagnitude))
    }
  }

  /// What an operand becomes.
  ///
  /// - Precondition: the layer's product has such an operand.
  func choice(_ tensor: TensorRole, _ product: ProductRole) -> QuantizationChoice {
    guard let choice = choices[Use(tensor: tensor, product: product)] else {
      refuse("\(product.rawValue) of \(place) has no operand \(tensor.rawValue)")
    }
    return choice
  }

  /// Closes a step: delayed scales follow from what it has seen.
  public func endStep() {
    for use in scalings.keys { scalings[use]?.endStep() }
  }

  /// The decode multiplier that an earlier step decided on, if the choice is delayed scaling.
  func delayedScale(_ tensor: TensorRole, _ product: ProductRole) -> Float? {
    scalings[Use(tensor: tensor, product: product)]?.decodeMultiplier
  }

  /// Notes the largest magnitude of an operand with delayed scaling, for the scales of later steps.
  func record(amax: Float, _ tensor: TensorRole, _ product: ProductRole) {
    scalings[Use(tensor: tensor, product: product)]?.record(amax: amax)
  }
}
