import BlockFormats
import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// Which recipes are compared, on what, and where runs are kept.
struct TrainingPlan {
  var setup: RunSetup
  var baseline: GivenRecipe
  var recipes: [GivenRecipe]
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
  var allRecipes: [Recipe] { givenRecipes.map(\.recipe) }

  private var givenRecipes: [GivenRecipe] {
    ([baseline] + recipes).reduce(into: []) { list, given in
      if !list.contains(where: { $0.recipe == given.recipe }) { list.append(given) }
    }
  }

  /// Refuses what would stop the comparison later: extents that make no model or one beyond the
  /// memory there is, a text that is too short, and recipes that do not suit the model or share a
  /// name.
  ///
  /// - Returns: the layers of the model, and warnings about rules that change nothing in it.
  func check(
    _ data: RunData
  ) throws(CommandError) -> (layers: [LayerPlace], warnings: [String]) {
    try setup.check()
    try setup.requireMemory(for: .training(isKept: directory != nil))
    let source = try setup.source(data, seed: 0)
    var names: Set<String> = []
    var layers: [LayerPlace] = []
    var warnings: [String] = []
    for given in givenRecipes {
      // Names are those of folders, too, which some systems do not tell apart by case.
      guard names.insert(given.recipe.name.lowercased()).inserted else {
        throw .usage(
          "two recipes are named '\(given.recipe.name)'",
          hint: "change the \"name\" in the JSON file")
      }
      let model = try setup.model(given, vocabularyCount: source.vocabularyCount, seed: 0)
      layers = model.quantizations.map(\.place)
      warnings += given.idleWarnings(in: layers)
    }
    return (layers, warnings)
  }

  /// The steps of all runs.
  var stepCount: Int { allRecipes.count * seedCount * setup.stepCount }
}
