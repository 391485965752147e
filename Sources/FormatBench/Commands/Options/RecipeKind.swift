import LowPrecisionTraining
import TensorFiles

extension ValueKind<[Recipe]> {
  /// A preset by its name, `all` of them, or the path of a JSON file.
  static let recipes = ValueKind(
    placeholder: "RECIPE", accepted: "the name of a recipe, 'all', or the path of a JSON file"
  ) { (text) throws(ValueFailure) in
    text == "all" ? Recipe.catalog : [try ValueKind<Recipe>.recipe.parse(text)]
  }
}

extension ValueKind<Recipe> {
  /// A preset by its name, or the path of a JSON file.
  static let recipe = ValueKind(
    placeholder: "RECIPE", accepted: "the name of a recipe or the path of a JSON file"
  ) { (text) throws(ValueFailure) in
    let json = text.hasSuffix(".json") ? try contents(ofFile: text) : nil
    do throws(RecipeError) {
      if let json { return try Recipe(json: json) }
      return try Recipe.named(text)
    } catch {
      guard case .unknownRecipe = error else { throw .explained(error.description) }
      throw .unknown(
        "recipe", text, known: Recipe.catalog.map(\.name),
        hint: "'fmtbench train --help' lists them; the path of a recipe of your own ends in .json")
    }
  }

  /// Recipes are short; a file beyond this is something else.
  private static let largestFile = 1 << 20

  private static func contents(ofFile path: String) throws(ValueFailure) -> String {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .explained(error.description) }
    guard file.count <= largestFile else {
      throw .explained("\(path): \(file.count) bytes are too many for a recipe")
    }
    guard
      let text = file.withUnsafeBytes(
        in: 0..<file.count, { String(validating: $0, as: UTF8.self) })
    else { throw .explained("\(path): is not UTF-8") }
    return text
  }
}
