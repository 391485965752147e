import LowPrecisionTraining

/// Where training ended under each recipe.
struct TrainingComparison {
  let plan: TrainingPlan
  /// The numbers that training changed.
  let parameterCount: Int
  /// The loss of a perfect model, where it is known.
  let lossFloor: Double?
  /// The baseline first.
  let rows: [Row]

  /// The runs of one recipe.
  struct Row {
    var recipe: Recipe
    /// The final loss of each seed; NaN where the run diverged.
    var losses: [Double] = []
    /// The median seconds of a step, of all runs' medians the middle one.
    var stepSeconds: [Double] = []
    /// Seeds and steps of losses that were not finite.
    var divergences: [(seed: Int, step: Int)] = []
    /// Its losses against the baseline's.
    var difference = PairedDifference(recipe: [], baseline: [])

    var loss: SampleSummary { SampleSummary(losses) }
    var medianStepSeconds: Double { stepSeconds.sorted()[stepSeconds.count / 2] }
  }

  /// Trains under every recipe with every seed.
  ///
  /// Recipes take turns, seed after seed, so that a disturbance of the machine touches all of them.
  static func run(
    _ plan: TrainingPlan, progress: (String) -> Void
  ) throws(CommandError) -> TrainingComparison {
    var rows = plan.allRecipes.map { Row(recipe: $0) }
    var (parameterCount, lossFloor) = (0, Double?.none)
    for seed in 0..<plan.seedCount {
      let source = try plan.source(seed: seed)
      lossFloor = source.lossFloor
      for index in rows.indices {
        let recipe = rows[index].recipe
        let model = plan.model(recipe, vocabularyCount: source.vocabularyCount, seed: seed)
        parameterCount = model.parameterCount
        do throws(RecipeError) {
          try recipe.check(model.quantizations.map(\.place))
        } catch {
          throw .usage(error.description)
        }
        let trainer = Trainer(model, on: source, options: plan.options, seed: UInt32(seed))
        let outcome = trainer.run { row in
          progress(
            "seed \(seed) \(recipe.name) step \(row.step + 1)/\(plan.stepCount) "
              + "loss \(Float(row.trainingLoss))")
        }
        rows[index].losses.append(outcome.validationLoss)
        rows[index].stepSeconds.append(outcome.stepSeconds)
        if let step = outcome.divergedAt {
          rows[index].divergences.append((seed: seed, step: step))
        }
      }
    }
    for index in rows.indices {
      rows[index].difference = PairedDifference(
        recipe: rows[index].losses, baseline: rows[0].losses)
    }
    return TrainingComparison(
      plan: plan, parameterCount: parameterCount, lossFloor: lossFloor, rows: rows)
  }
}
