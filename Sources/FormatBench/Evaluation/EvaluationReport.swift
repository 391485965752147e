import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// The columns, facts and rows of direct casts.
enum EvaluationReport {
  /// The name of the command that writes it.
  static let command = "eval"

  static func report(_ evaluation: Evaluation) -> Report {
    let setup = evaluation.setup
    var report = Report(
      command: command, reproducibility: .everywhere,
      context: [
        .init(key: "checkpoint", value: .text(evaluation.plan.checkpointPath)),
        .init(key: "model", value: .text(setup.model.rawValue)),
        .init(key: "parameters", value: .integer(evaluation.parameterCount)),
        .init(key: "trained_steps", value: evaluation.step.map { Cell.integer($0) } ?? .empty),
        .init(key: "corruption", value: .number(evaluation.plan.corruption)),
      ], columns: columns, notes: notes(evaluation))
    for row in evaluation.rows {
      let logits = row.result.logits
      report.append([
        .text(row.recipe.name), .text(row.input.rawValue), .number(row.result.loss),
        .number(logits.mean), .number(logits.median), .number(logits.percentile99),
        .number(100 * logits.flipFraction), .integer(logits.count),
        .integer(logits.undefinedCount),
      ])
    }
    return report
  }

  private static let columns: [Column] = [
    .init(key: "recipe", title: "Recipe"),
    .init(key: "input", title: "Input"),
    .init(key: "validation_loss", title: "Loss", style: .fixed(decimals: 4)),
    .init(key: "kl_mean", title: "KL mean", style: .significant(3)),
    .init(key: "kl_median", title: "KL median", style: .significant(3)),
    .init(key: "kl_p99", title: "KL p99", style: .significant(3)),
    .init(key: "flips_percent", title: "Flips %", style: .fixed(decimals: 2)),
    .init(key: "positions", title: "Positions", style: .general, role: .setting),
    .init(key: "undefined", title: "Undefined", style: .general),
  ]

  private static func notes(_ evaluation: Evaluation) -> [String] {
    [
      """
      Losses are in nats for each token over \(evaluation.plan.batchCount) validation batches. KL \
      is the divergence of the narrowed model's predictions from those in FP32, in nats, over \
      positions; flips are positions whose most probable token differs; undefined are positions \
      with logits that are no distribution. Corrupted input has a share of its tokens replaced.
      """
    ] + [Recipe.commonNote] + evaluation.plan.recipes.map(\.recipe.note)
  }
}
