import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// The columns, facts and rows of trained recipes.
enum TrainingReport {
  /// The name of the command that writes it.
  static let command = "train"

  static func report(_ comparison: TrainingComparison) -> Report {
    // Runs that went well have nothing to tell here.
    let tellsCauses = comparison.rows.contains { !$0.divergences.isEmpty }
    var report = Report(
      command: command, context: facts(comparison),
      columns: columns + (tellsCauses ? [cause] : []), notes: notes(comparison))
    let baseline = comparison.rows[0].medianStepSeconds
    for row in comparison.rows {
      let causes = row.divergences.map(\.description).joined(separator: "; ")
      report.append(
        cells(row, comparison.plan, baseline) + (tellsCauses ? [.text(causes)] : []))
    }
    return report
  }

  private static let cause = Column(key: "divergences", title: "Cause", role: .longName)

  private static let columns: [Column] = [
    .init(key: "recipe", title: "Recipe"),
    .init(key: "seeds", title: "Seeds", style: .general, role: .setting),
    .init(key: "steps", title: "Steps", style: .general, role: .setting),
    .init(key: "validation_loss", title: "Loss", style: .fixed(decimals: 4)),
    .init(key: "validation_loss_interval", title: "+-", style: .fixed(decimals: 4)),
    .init(key: "gap_nats", title: "Gap", style: .fixed(decimals: 4)),
    .init(key: "gap_nats_interval", title: "Gap +-", style: .fixed(decimals: 4)),
    .init(key: "gap_percent", title: "Gap %", style: .fixed(decimals: 2)),
    .init(key: "gap_interval_percent", title: "Gap % +-", style: .fixed(decimals: 2)),
    .init(key: "step_seconds", title: "Step s", style: .significant(3)),
    .init(key: "step_ratio", title: "Step ratio", style: .fixed(decimals: 2)),
    .init(key: "diverged", title: "Diverged", style: .general),
  ]

  private static func cells(
    _ row: TrainingComparison.Row, _ plan: TrainingPlan, _ baseline: Double
  ) -> [Cell] {
    let gap = row.difference
    return [
      .text(row.recipe.name), .integer(plan.seedCount), .integer(plan.setup.stepCount),
      .number(row.loss.mean), Cell(row.loss.halfWidth95), .number(gap.nats.mean),
      Cell(gap.nats.halfWidth95), .number(gap.percent),
      Cell(gap.percentInterval95.map { ($0.upperBound - $0.lowerBound) / 2 }),
      .number(row.medianStepSeconds), .number(row.medianStepSeconds / baseline),
      .integer(row.divergences.count),
    ]
  }

  private static func facts(_ comparison: TrainingComparison) -> [Report.Fact] {
    let setup = comparison.plan.setup
    let data: (String, Cell) =
      switch setup.data {
      case .task(let task): ("task", .text(task.rawValue))
      case .text(let path): ("text", .text(path))
      }
    var facts: [Report.Fact] = [
      .init(key: "model", value: .text(setup.model.rawValue)),
      .init(key: "parameters", value: .integer(comparison.parameterCount)),
      .init(key: "layers", value: .integer(setup.depth)),
      .init(key: "width", value: .integer(setup.width)),
      .init(key: "heads", value: .integer(setup.headCount)),
      .init(key: "batch", value: .integer(setup.batchCount)),
      .init(key: "context", value: .integer(setup.context)),
      .init(key: "optimizer", value: .text(setup.optimizer.rawValue)),
      .init(key: "arithmetic", value: .text(setup.arithmetic.rawValue)),
      .init(key: "learning_rate", value: .number(setup.learningRate)),
      .init(key: "schedule", value: .text(setup.schedule.rawValue)),
      .init(key: data.0, value: data.1),
      .init(key: "baseline", value: .text(comparison.plan.baseline.recipe.name)),
    ]
    // No step was taken where all runs had ended before.
    if comparison.activationByteCount > 0 {
      facts.append(
        .init(key: "activation_bytes", value: .integer(comparison.activationByteCount)))
    }
    if let floor = comparison.lossFloor {
      facts.append(.init(key: "loss_floor", value: .number(floor)))
    }
    return facts
  }

  private static func notes(_ comparison: TrainingComparison) -> [String] {
    [
      """
      Losses are in nats for each token, over \(RunSetup.validationBatchCount) validation \
      batches after the last step. +- is half a 95 % confidence interval over seeds; gaps are \
      differences of runs with the same data and initial weights. Diverged counts runs that ended \
      with a loss or gradient that is not finite; where there are any, Cause tells what was so first.
      """
    ]
      + [Recipe.commonNote] + comparison.rows.map(\.recipe.note)
  }
}
