import LowPrecisionTraining

/// Which recipes are compared, on what, and where runs are kept.
struct TrainingPlan {
  var setup: RunSetup
  var baseline: Recipe
  var recipes: [Recipe]
  var seedCount: Int
  /// Where runs are kept; nowhere if `nil`.
  var directory: RunDirectory?
  /// Steps between two saves of a run.
  var saveInterval = 50
  /// Steps between two measurements of operands, for runs that are kept.
  var measurementInterval = 100

  /// The baseline, then the other recipes, each once.
  var allRecipes: [Recipe] {
    ([baseline] + recipes).reduce(into: []) { list, recipe in
      if !list.contains(where: { $0.name == recipe.name }) { list.append(recipe) }
    }
  }

  /// The steps of all runs.
  var stepCount: Int { allRecipes.count * seedCount * setup.stepCount }
}
