import CommandLineToolkit
import TensorFiles
import TrainingRecipes

/// A recipe as a command line gives it.
struct GivenRecipe: Hashable, Sendable {
  let recipe: Recipe
  /// The file it was read from; nil for a preset.
  let path: String?

  /// A preset, or the recipe of a file.
  init(_ recipe: Recipe, path: String? = nil) {
    self.recipe = recipe
    self.path = path
  }

  /// Reads a file.
  init(path: String) throws(CommandError) {
    func failure(_ reason: String) -> CommandError { .input("\(path): \(reason)") }
    let text = try Self.contents(ofFile: path)
    let recipe: Recipe
    do { recipe = try Recipe(json: text) } catch { throw failure(error.description) }
    // Its results would be taken for the preset's.
    let preset = Recipe.catalog.first { $0.name == recipe.name }
    guard preset.map({ $0.rules == recipe.rules }) ?? true else {
      throw failure(
        "the name '\(recipe.name)' is a preset's, whose rules are others; give the recipe another "
          + "name")
    }
    self.init(recipe, path: path)
  }

  /// Recipes are short; a file beyond this is something else.
  private static let largestFile = 1 << 20

  private static func contents(ofFile path: String) throws(CommandError) -> String {
    let file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try InputFile(path: path)
    }
    guard file.count <= largestFile else {
      throw .input("\(path): \(file.count) bytes are too many for a recipe")
    }
    let bytes = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try file.bytes()
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .input("\(path): is not UTF-8")
    }
    return text
  }
}

extension GivenRecipe {
  /// The error of a recipe that does not suit a model, with the file it stands in.
  func unsuitable(_ error: RecipeError) -> CommandError {
    var text = path.map { "\($0): " } ?? ""
    text += error.description
    switch error {
    case .unknownLayer, .unknownBlock, .excludedLayer, .unmatchedRule, .unmatchedRecipe:
      text += "; 'fmtbench train --list-layers' lists the model's layers"
    default: break
    }
    return .input(text)
  }

  /// Warnings about rules of a file that change nothing, as the model has no layers of their kinds.
  ///
  /// Presets hold rules for all models, and so may what was made from them.
  func idleWarnings(in places: [LayerPlace]) -> [String] {
    guard let path else { return [] }
    let common = Set(Recipe.catalog.flatMap(\.rules))
    return recipe.idleRules(in: places).filter { !common.contains(recipe.rules[$0.number - 1]) }
      .map { "\(path): \($0): the model has no such layers" }
  }
}

extension ValueKind<[GivenRecipe]> {
  /// A preset by its name, `all` of them, or the path of a JSON file.
  static let recipes = ValueKind(
    placeholder: "RECIPE", accepted: "the name of a recipe, 'all', or the path of a JSON file"
  ) { (text) throws(ValueFailure) in
    text == "all"
      ? Recipe.catalog.map { GivenRecipe($0) } : [try ValueKind<GivenRecipe>.recipe.parse(text)]
  }
}

extension ValueKind<GivenRecipe> {
  /// A preset by its name, or the path of a JSON file.
  static let recipe = ValueKind(
    placeholder: "RECIPE", accepted: "the name of a recipe or the path of a JSON file"
  ) { (text) throws(ValueFailure) in
    if text.hasSuffix(".json") {
      do throws(CommandError) {
        return try GivenRecipe(path: text)
      } catch {
        throw .file(error.message)
      }
    }
    guard let recipe = Recipe.catalog.first(where: { $0.name == text }) else {
      throw .unknown(
        "recipe", text, known: Recipe.catalog.map(\.name),
        hint: "'fmtbench recipe' lists them; the path of a recipe of your own ends in .json")
    }
    return GivenRecipe(recipe)
  }
}
