import BlockFormats
import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// The layers of a model with what recipes make of them, for rules that name layers.
enum LayerList {
  static func report(_ layers: [LayerPlace], _ plan: TrainingPlan) -> Report {
    let recipes = plan.allRecipes
    var report = Report(
      command: TrainingReport.command,
      context: [
        .init(key: "model", value: .text(plan.setup.model.rawValue)),
        .init(key: "layers", value: .integer(plan.setup.depth)),
        .init(key: "blocks", value: .integer(layers.compactMap(\.block?.count).max() ?? 0)),
      ],
      columns: [
        .init(key: "layer", title: "Layer"),
        .init(key: "kind", title: "Kind", role: .setting),
        .init(key: "block", title: "Block", style: .general),
      ] + recipes.map { .init(key: "recipe_\($0.name)", title: $0.name, role: .setting) },
      notes: [
        """
        Rules choose layers by \"names\", by kinds (\"layers\") and by \"blocks\", which count from 0. \
        Below a recipe stand the formats that it gives to operands of the layer.
        """
      ])
    for layer in layers {
      report.append(
        [
          .text(layer.name), .text(layer.kind.rawValue),
          layer.block.map { .integer($0.index) } ?? .empty,
        ] + recipes.map { .text($0.formats(of: layer.roles).joined(separator: ", ")) })
    }
    return report
  }
}
