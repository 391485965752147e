import CommandLineToolkit
import TrainingRecipes

/// A recipe as sections to read.
enum RecipeSheet {
  /// The presets with the formats they use.
  static var presets: SheetSection {
    let table = SheetTable(
      [.init("recipe", "Recipe"), .init("formats", "Formats")],
      rows: Recipe.catalog.map { [.text($0.name), .text($0.formatText)] })
    return SheetSection(
      key: "presets", title: "Presets",
      parts: [
        .table(table),
        .paragraph("'fmtbench recipe NAME' shows the rules of one, --json as a file to change."),
      ])
  }

  /// Where a recipe comes from, and its rules one below the other.
  static func sections(of recipe: Recipe) -> [SheetSection] {
    let rules = SheetTable(
      [.init("rule", "Rule"), .init("operands", "Operands"), .init("choice", "Become")],
      rows: recipe.rules.enumerated().map {
        [.text("\($0.offset + 1)"), .text($0.element.conditions), .text("\($0.element.choice)")]
      })
    return [
      SheetSection(
        key: "recipe", title: "Recipe",
        parts: [.paragraph("Source: \(recipe.source).")]
          + recipe.notes.map { .paragraph("Note: \($0).") }),
      SheetSection(
        key: "rules", title: "Rules",
        parts: (recipe.rules.isEmpty ? [] : [.table(rules)]) + [.paragraph(Recipe.commonNote)]),
    ]
  }
}

extension Recipe {
  /// The ids of the formats that rules give, each once, those of narrow ones first.
  var formatText: String {
    let ids = rules.map(\.choice.formatID).reduce(into: [String]()) { list, id in
      if !list.contains(id) { list.append(id) }
    }
    let wide = ["bf16", "fp32"]
    let narrow = ids.filter { !wide.contains($0) }
    return (narrow.isEmpty ? [ids.first ?? "fp32"] : narrow).joined(separator: ", ")
  }
}
