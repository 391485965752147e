import BlockFormats
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
  /// How many threads may work; never changes a result.
  var parallelism = Parallelism.allCores

  /// The baseline, then the other recipes, each once.
  var allRecipes: [Recipe] {
    ([baseline] + recipes).reduce(into: []) { list, recipe in
      if !list.contains(recipe) { list.append(recipe) }
    }
  }

  /// Refuses what would stop the comparison later: extents that make no model, a text that is too
  /// short, and recipes that do not suit the model or share a name.
  func check(_ data: RunData) throws(CommandError) {
    let source = try setup.source(data, seed: 0)
    var names: Set<String> = []
    for recipe in allRecipes {
      // Names are those of folders, too, which some systems do not tell apart by case.
      guard names.insert(recipe.name.lowercased()).inserted else {
        throw .usage(
          "two recipes are named '\(recipe.name)'", hint: "change the \"name\" in the JSON file")
      }
      _ = try setup.model(recipe, vocabularyCount: source.vocabularyCount, seed: 0)
    }
  }

  /// The steps of all runs.
  var stepCount: Int { allRecipes.count * seedCount * setup.stepCount }
}
