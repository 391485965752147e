import CommandLineToolkit
import TrainingRecipes

/// Training recipes in the reference: the presets, their rules, and the keys of their JSON.
enum RecipeTable {
  /// The presets.
  static var presets: SheetTable {
    SheetTable(
      [.init("recipe", "Recipe"), .init("formats", "Formats"), .init("source", "Source")],
      rows: Recipe.catalog.map { [.text($0.name), .text($0.formatText), .text($0.source)] })
  }

  /// The rules and notes of every preset, a line each.
  static var rules: String {
    Recipe.catalog.map { recipe in
      let common = Recipe.bf16.rules
      let isBased =
        recipe.name != Recipe.bf16.name && Array(recipe.rules.prefix(common.count)) == common
      var lines = isBased ? ["those of bf16"] : []
      lines += recipe.rules.dropFirst(isBased ? common.count : 0).map(\.description)
      if recipe.rules.isEmpty { lines = ["no rules: all in FP32"] }
      lines += recipe.notes.map { "note: \($0)" }
      let list = lines.map { "- " + MarkdownText.escaped($0) }
      return ([MarkdownText.escaped(recipe.name) + ":", ""] + list).joined(separator: "\n")
    }
    .joined(separator: "\n\n")
  }

  /// The kinds of layers with the operands of their products.
  static var layerKinds: SheetTable {
    func operands(_ kind: LayerKind, _ product: ProductRole) -> Cell {
      let names = kind.operands(of: product).map(\.rawValue)
      return .text(names.isEmpty ? "-" : names.joined(separator: ", "))
    }
    return SheetTable(
      [.init("kind", "Kind"), .init("projection", "Projection")]
        + ProductRole.allCases.map { .init($0.rawValue, $0.rawValue) },
      rows: LayerKind.allCases.map { kind in
        [.text(kind.rawValue), .text(LayerKind.projections.contains(kind) ? "yes" : "no")]
          + ProductRole.allCases.map { operands(kind, $0) }
      })
  }

  /// Every key of a recipe's JSON.
  static var keys: SheetTable {
    SheetTable(
      [
        .init("object", "Object"), .init("key", "Key"), .init("values", "Values"),
        .init("absence", "If missing"), .init("meaning", "Meaning"),
      ],
      rows: Recipe.jsonKeys.map {
        [
          .text($0.object), .text($0.key), .text($0.values), .text($0.absence ?? "an error"),
          .text($0.meaning),
        ]
      })
  }

  /// A recipe to read.
  static var example: String { "```json\n\(Recipe.jsonExample)\n```" }
}
