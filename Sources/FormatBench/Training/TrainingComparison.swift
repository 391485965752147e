import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// Where training ended under each recipe.
struct TrainingComparison {
  let plan: TrainingPlan
  /// The numbers that training changed.
  private(set) var parameterCount = 0
  /// The bytes of activations and gradients of a step, of all recipes the most.
  private(set) var activationByteCount = 0
  /// The loss of a perfect model, where it is known.
  private(set) var lossFloor: Double?
  /// About rules of recipes that change nothing in the model.
  let warnings: [String]
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
    /// Where training of each seed that diverged ended.
    var divergences: [Divergence] = []
    /// Whether no seed has a final loss.
    var isDiverged: Bool { divergences.count == outcomes.count }
  }

  /// Where a run ended that diverged.
  struct Divergence: Equatable, CustomStringConvertible {
    let seed: Int
    /// The steps taken, the one that failed included.
    let step: Int
    /// What was first not finite; `nil` where an earlier version of the tool found it out.
    let cause: String?

    /// One line without the recipe.
    var description: String {
      "seed \(seed), step \(step): \(cause ?? "the loss or the gradient is not finite")"
    }
  }

  /// Whether not one of the recipes asked for has a final loss.
  var isDiverged: Bool {
    let asked = rows.filter { row in plan.recipes.contains { $0.recipe == row.recipe } }
    return !asked.isEmpty && asked.allSatisfy(\.isDiverged)
  }

  /// Trains under every recipe with every seed, and writes the report to the plan's folder.
  ///
  /// Recipes take turns, seed after seed, so that a disturbance of the machine touches all of them.
  ///
  /// - Parameters:
  ///   - isStopped: asked before every step; once it is true, the run is saved and the command ends.
  ///   - show: receives a line about a step.
  /// - Throws: `.interrupted` if it was stopped and is saved, `.abandoned` if there is no folder.
  init(
    _ plan: TrainingPlan, isStopped: () -> Bool = { false },
    show: (@autoclosure () -> String) -> Void = { _ in }
  ) throws(CommandError) {
    self.plan = plan
    rows = plan.allRecipes.map { Row(recipe: $0) }
    let data = try RunData(plan.setup.data)
    warnings = try plan.check(data).warnings
    let lock = try plan.directory?.open(plan, fingerprint: data.fingerprint)
    defer { withExtendedLifetime(lock) {} }

    var progress = TrainingProgress(stepCount: plan.stepCount)
    for seed in 0..<plan.seedCount {
      for index in rows.indices {
        let recipe = rows[index].recipe
        let trainer = try plan.setup.trainer(
          recipe, on: data, seed: seed,
          measurementInterval: plan.directory == nil ? nil : plan.measurementInterval,
          parallelism: plan.parallelism)
        let keeper = RunKeeper(plan, trainer, recipe, seed: seed, fingerprint: data.fingerprint)
        try keeper.resume()
        progress.skip(trainer.step)
        while !trainer.isFinished {
          guard !isStopped() else { throw try keeper.stopped() }
          guard let row = trainer.advance() else { break }
          progress.advance()
          show(progress.line(recipe, seed: seed, row, of: plan.setup.stepCount))
          try keeper.saveIfDue()
        }
        progress.skip(plan.setup.stepCount - trainer.step)
        parameterCount = trainer.model.parameterCount
        activationByteCount = max(activationByteCount, trainer.activationByteCount)
        lossFloor = trainer.source.lossFloor
        rows[index].outcomes.append(trainer.outcome)
        if trainer.outcome.divergedAt != nil {
          rows[index].divergences.append(
            Divergence(seed: seed, step: trainer.step, cause: try keeper.divergence()))
        }
      }
    }
    for index in rows.indices {
      rows[index].difference = PairedDifference(
        recipe: rows[index].losses, baseline: rows[0].losses)
    }
    try plan.directory?.save(TrainingReport.report(self))
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
  /// The step of the state in the folder.
  private var savedStep: Int?

  init(_ plan: TrainingPlan, _ trainer: Trainer, _ recipe: Recipe, seed: Int, fingerprint: String?)
  {
    self.plan = plan
    self.trainer = trainer
    self.recipe = recipe
    self.seed = seed
    metadata = plan.setup.metadata(recipe, fingerprint: fingerprint)
  }

  func resume() throws(CommandError) {
    guard let directory = plan.directory else { return }
    let isResumed = try directory.resume(trainer, recipe, seed: seed, metadata: metadata)
    if isResumed { savedStep = trainer.step }
    measurements = try directory.measurements(before: trainer.step, recipe, seed: seed)
  }

  func saveIfDue() throws(CommandError) {
    if trainer.isFinished || trainer.step % plan.saveInterval == 0 { try save() }
  }

  /// Saves, and says where the run stands.
  func stopped() throws(CommandError) -> CommandError {
    let place =
      "stopped after step \(trainer.step) of \(plan.setup.stepCount) of \(recipe.name), seed \(seed)"
    guard plan.directory != nil else {
      return .abandoned(place + "; without --out, nothing is saved")
    }
    try save()
    return .interrupted(place, hint: "the same command with --resume goes on from there")
  }

  /// What was first not finite, now or in an earlier call of the command.
  func divergence() throws(CommandError) -> String? {
    if let cause = trainer.notFinite { return cause.description }
    return try plan.directory?.divergence(recipe, seed: seed)
  }

  private func save() throws(CommandError) {
    guard let directory = plan.directory, savedStep != trainer.step else { return }
    try directory.save(
      trainer, recipe, seed: seed, measurements: measurements, metadata: metadata)
    savedStep = trainer.step
  }
}
