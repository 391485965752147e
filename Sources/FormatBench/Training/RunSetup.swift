import BlockFormats
import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// Everything that decides a run besides its recipe and seed.
struct RunSetup: Hashable {
  var model: ModelKind
  var stepCount: Int
  var batchCount: Int
  var context: Int
  var width: Int
  var depth: Int
  var headCount: Int
  var learningRate: Double
  var schedule: ScheduleKind
  var optimizer: OptimizerKind
  var arithmetic: ProductArithmetic
  var data: DataChoice

  /// How the learning rate falls.
  enum ScheduleKind: String, Hashable, Sendable, CaseIterable {
    /// Half a cosine.
    case cosine
    /// Not at all until the last fifth of the steps, then in a straight line.
    case warmUpStableDecay = "wsd"
  }

  /// What a model reads.
  enum DataChoice: Hashable {
    case task(SyntheticTask)
    /// The bytes of a file.
    case text(path: String)
  }

  /// The batches that a loss is measured on.
  static let validationBatchCount = 16

  /// Refuses extents that make no model.
  func check() throws(CommandError) {
    let attentionCount = model.attentionCount(depth: depth)
    guard attentionCount == 0 || width % headCount == 0 else {
      throw .usage("--width \(width) is not a multiple of --heads \(headCount)")
    }
    if case .task(let task) = data, context < task.leastContext {
      throw .usage(
        "--task \(task.rawValue) needs --context \(task.leastContext) or more, not \(context)")
    }
  }

  /// The batches of a seed.
  func source(_ data: RunData, seed: Int) throws(CommandError) -> any TokenSource {
    try data.source(
      BatchPlan(batchCount: batchCount, contextCount: context, seed: UInt64(seed)))
  }

  /// The model of a seed.
  func model(
    _ given: GivenRecipe, vocabularyCount: Int, seed: Int
  ) throws(CommandError) -> StackedModel {
    do throws(RecipeError) {
      return try StackedModel(
        model.configuration(
          vocabularyCount: vocabularyCount, width: width, depth: depth, headCount: headCount,
          context: context), recipe: given.recipe, seed: UInt64(seed))
    } catch {
      throw given.unsuitable(error)
    }
  }

  /// How a run goes.
  var options: TrainingOptions {
    let warmUp = stepCount / 10
    let rates: LearningRateSchedule =
      switch schedule {
      case .cosine:
        .cosine(
          peak: learningRate, final: learningRate / 10, warmUp: warmUp, total: stepCount)
      case .warmUpStableDecay:
        .warmUpStableDecay(
          peak: learningRate, final: learningRate / 10, warmUp: warmUp, decay: stepCount / 5,
          total: stepCount)
      }
    return TrainingOptions(
      stepCount: stepCount, schedule: rates, optimizer: optimizer,
      validationInterval: min(100, stepCount),
      validationBatchCount: Self.validationBatchCount, arithmetic: arithmetic)
  }

  /// A run ready to start.
  ///
  /// - Parameters:
  ///   - data: what it reads.
  ///   - measurementInterval: steps between two measurements of operands, none if `nil`.
  ///   - parallelism: how many threads may work; never changes a result.
  func trainer(
    _ recipe: Recipe, on data: RunData, seed: Int, measurementInterval: Int?,
    parallelism: Parallelism
  ) throws(CommandError) -> Trainer {
    var options = options
    options.measurementInterval = measurementInterval
    options.parallelism = parallelism
    let source = try source(data, seed: seed)
    return Trainer(
      try model(GivenRecipe(recipe), vocabularyCount: source.vocabularyCount, seed: seed),
      on: source,
      options: options, seed: UInt32(seed))
  }
}
