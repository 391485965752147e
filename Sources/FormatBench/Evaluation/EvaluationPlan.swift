import BlockFormats
import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// A trained model, and the recipes that its operands are cast by.
struct EvaluationPlan {
  var checkpointPath: String
  var recipes: [GivenRecipe]
  /// The share of input tokens that corrupted data replaces.
  var corruption: Double
  /// Read instead of the text that the checkpoint names.
  var textPath: String?
  var batchCount: Int
  /// How many threads may work; never changes a result.
  var parallelism = Parallelism.allCores

  /// Opens the checkpoint and casts the model by every recipe, on its data and on corrupted data.
  func run(show: (@autoclosure () -> String) -> Void) throws(CommandError) -> Evaluation {
    let checkpoint = try CommandError.bridgingFileFailures { () throws(CheckpointError) in
      try Checkpoint(path: checkpointPath)
    }
    var setup = try RunSetup(metadata: checkpoint.metadata, path: checkpointPath)
    if let textPath { setup.data = .text(path: textPath) }
    try requireEnough(checkpoint, setup)
    try setup.requireMemory(for: .casting(recipeCount: recipes.count))
    let data = try RunData(setup.data)
    let source = try setup.source(data, seed: 0)
    guard textPath != nil || data.fingerprint == checkpoint.metadata["text_fingerprint"] else {
      throw .input(
        "the text that \(checkpointPath) was trained on has changed; name one with --text")
    }

    func model(_ given: GivenRecipe) throws(CommandError) -> StackedModel {
      let model = try setup.model(given, vocabularyCount: source.vocabularyCount, seed: 0)
      try CommandError.bridgingFileFailures { () throws(CheckpointError) in
        try model.takeParameters(of: checkpoint, path: checkpointPath)
      }
      return model
    }

    let reference = try model(GivenRecipe(.fp32))
    var models: [StackedModel] = []
    for recipe in recipes { models.append(try model(recipe)) }
    for model in models { DirectCast.calibrate(model, on: source, parallelism: parallelism) }
    var rows: [Evaluation.Row] = []
    for kind in Evaluation.Input.allCases {
      show("\(recipes.count) recipes on \(kind.rawValue) input")
      let input: any TokenSource =
        kind == .clean ? source : CorruptedSource(source, probability: corruption)
      let casts = DirectCast.casts(
        of: models, against: reference, on: input, batchCount: batchCount, parallelism: parallelism)
      rows += zip(recipes, casts).map {
        Evaluation.Row(recipe: $0.recipe, input: kind, result: $1)
      }
    }
    let layers = reference.quantizations.map(\.place)
    return Evaluation(
      plan: self, setup: setup, parameterCount: reference.parameterCount,
      step: checkpoint.counters["step"].map(Int.init), rows: rows,
      warnings: recipes.flatMap { $0.idleWarnings(in: layers) })
  }

  /// Refuses a checkpoint that says it is of a larger model than it holds, before that is made.
  private func requireEnough(
    _ checkpoint: Checkpoint, _ setup: RunSetup
  ) throws(CommandError) {
    let held = checkpoint.arrays.values.reduce(0) { $0 + $1.values.count }
    let needed = setup.leastParameterCount
    guard held >= needed else {
      throw .input(
        "\(checkpointPath): \(held) numbers are too few for the model that the checkpoint names, "
          + "which has \(needed) or more")
    }
  }
}

/// What direct casts of a model came to.
struct Evaluation {
  let plan: EvaluationPlan
  let setup: RunSetup
  let parameterCount: Int
  /// The steps that the model was trained for.
  let step: Int?
  let rows: [Row]
  /// About rules that change nothing in this model.
  let warnings: [String]

  /// What a model reads.
  enum Input: String, CaseIterable {
    case clean
    case corrupted
  }

  /// One recipe on one kind of data.
  struct Row {
    let recipe: Recipe
    let input: Input
    let result: DirectCast
  }
}
