import LowPrecisionTraining

/// The presets of training recipes, rule by rule.
enum RecipeTable {
  static var table: SheetTable {
    var table = SheetTable([
      .init("recipe", "Recipe"), .init("source", "Source"),
      .init("rules", "Rules, the last match decides"),
      .init("notes", "Notes"),
    ])
    let common = Recipe.bf16.rules
    for recipe in Recipe.catalog {
      var rules = recipe.rules.map(\.description)
      if recipe.name != Recipe.bf16.name, Array(recipe.rules.prefix(common.count)) == common {
        rules = ["those of bf16"] + rules.dropFirst(common.count)
      }
      table.append([
        .text(recipe.name), .text(recipe.source),
        .text(rules.isEmpty ? "none: all in FP32" : rules.joined(separator: ". ")),
        .text(recipe.notes.isEmpty ? "-" : recipe.notes.joined(separator: ". ")),
      ])
    }
    return table
  }
}
