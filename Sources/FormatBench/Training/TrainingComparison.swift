import LowPrecisionTraining

/// Where training ended under each recipe.
struct TrainingComparison {
  let plan: TrainingPlan
  /// The numbers that training changed.
  private(set) var parameterCount = 0
  /// The bytes of activations and gradients of a step, of all recipes the most.
  private(set) var activationByteCount = 0
  /// The loss of a perfect model, where it is known.
  private(set) var lossFloor: Double?
  /// The baseline first.
  private(set) var rows: [Row]

  /// The runs of one recipe.
  struct Row {
    var recipe: Recipe
    /// Of each seed.
    var outcomes: [TrainingOutcome] = []
    /// Its losses against the baseline's.
    var difference = PairedDifference(recipe: [], baseline: [])

    /// The final loss of each seed; NaN where the run diverged.
    var losses: [Double] { outcomes.map(\.validationLoss) }
    var loss: SampleSummary { SampleSummary(losses) }
    /// The median seconds of a step, of all runs' medians the middle one.
    var medianStepSeconds: Double {
      outcomes.map(\.stepSeconds).sorted()[outcomes.count / 2]
    }
    /// Seeds and steps of losses that were not finite.
    var divergences: [(seed: Int, step: Int)] {
      outcomes.enumerated().compactMap { seed, run in run.divergedAt.map { (seed, $0) } }
    }
  }

  /// Trains under every recipe with every seed.
  ///
  /// Recipes take turns, seed after seed, so that a disturbance of the machine touches all of them.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked after every step; once it is true, the run is saved and the command
  ///     ends.
  ///   - show: receives a line about a step.
  init(
    _ plan: TrainingPlan, isInterrupted: () -> Bool = { false },
    show: (@autoclosure () -> String) -> Void = { _ in }
  ) throws(CommandError) {
    self.plan = plan
    rows = plan.allRecipes.map { Row(recipe: $0) }
    try plan.check()
    var progress = TrainingProgress(stepCount: plan.stepCount)
    for seed in 0..<plan.seedCount {
      for index in rows.indices {
        let recipe = rows[index].recipe
        let trainer = try plan.setup.trainer(
          recipe, seed: seed,
          measurementInterval: plan.directory == nil ? nil : plan.measurementInterval)
        let keeper = RunKeeper(plan, trainer, recipe, seed: seed)
        try keeper.resume()
        progress.skip(trainer.step)
        while let row = trainer.advance() {
          progress.advance()
          show(progress.line(recipe, seed: seed, row, of: plan.setup.stepCount))
          try keeper.saveIfDue()
          if isInterrupted() && !trainer.isFinished { throw try keeper.interrupted() }
        }
        if trainer.step < plan.setup.stepCount {
          progress.skip(plan.setup.stepCount - trainer.step)
        }
        parameterCount = trainer.model.parameterCount
        activationByteCount = max(activationByteCount, trainer.activationByteCount)
        lossFloor = trainer.source.lossFloor
        rows[index].outcomes.append(trainer.outcome)
      }
    }
    for index in rows.indices {
      rows[index].difference = PairedDifference(
        recipe: rows[index].losses, baseline: rows[0].losses)
    }
  }
}

/// Keeps one run in the plan's folder, if there is one.
private final class RunKeeper {
  let plan: TrainingPlan
  let trainer: Trainer
  let recipe: Recipe
  let seed: Int
  let metadata: [String: String]
  private var measurements = ""

  init(_ plan: TrainingPlan, _ trainer: Trainer, _ recipe: Recipe, seed: Int) {
    self.plan = plan
    self.trainer = trainer
    self.recipe = recipe
    self.seed = seed
    metadata = plan.setup.metadata(
      recipe, fingerprint: (trainer.source as? ByteCorpus)?.fingerprint)
  }

  func resume() throws(CommandError) {
    try plan.directory?.resume(trainer, recipe, seed: seed, metadata: metadata)
    measurements =
      plan.directory?.measurements(before: trainer.step, recipe, seed: seed) ?? ""
  }

  func save() throws(CommandError) {
    try plan.directory?.save(
      trainer, recipe, seed: seed, measurements: measurements, metadata: metadata)
  }

  func saveIfDue() throws(CommandError) {
    if trainer.isFinished || trainer.step % plan.saveInterval == 0 { try save() }
  }

  /// Saves, and says where the run stands.
  func interrupted() throws(CommandError) -> CommandError {
    try save()
    return .interrupted(
      "stopped after step \(trainer.step) of \(plan.setup.stepCount) of \(recipe.name), seed "
        + "\(seed)", hint: "the same command with --resume goes on from there")
  }
}
