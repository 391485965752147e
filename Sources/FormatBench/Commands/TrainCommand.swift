import BlockFormats
import LowPrecisionTraining

/// Trains a small Transformer under recipes of narrow formats and compares where it ends.
enum TrainCommand: Command {
  static let recipes = Option.list(
    "recipe", .recipe, default: "mxfp8, nvfp4, mxfp4", help: "the recipes to train under")
  static let baseline = Option.defaulted(
    "baseline", .recipe, default: "fp32", help: "the recipe that others are compared with")
  static let steps = Option.defaulted(
    "steps", .integer(in: 1...10_000_000), default: "300", help: "the steps of a run")
  static let seeds = Option.defaulted(
    "seeds", .integer(in: 1...1000), default: "3",
    help: "runs of each recipe, with other data and initial weights")
  static let batch = Option.defaulted(
    "batch", .integer(in: 1...4096), default: "16", help: "sequences of a step")
  static let context = Option.defaulted(
    "context", .integer(in: 2...65_536), default: "64", help: "tokens of a sequence")
  static let width = Option.defaulted(
    "width", .integer(in: 8...8192), default: "96", help: "channels; a multiple of the heads")
  static let layers = Option.defaulted(
    "layers", .integer(in: 1...256), default: "4", help: "blocks")
  static let heads = Option.defaulted(
    "heads", .integer(in: 1...256), default: "4", help: "attention heads of a block")
  static let learningRate = Option.defaulted(
    "lr", .number(in: 0...10), default: "0.003", help: "the highest learning rate")
  static let text = Option.optional(
    "text", .text("FILE"), help: "trains on the bytes of a file instead of the built-in corpus")

  static let declaration = CommandDeclaration(
    name: "train", abstract: "Trains a small model under recipes of narrow formats",
    output: .report,
    options: [
      recipes, baseline, steps, seeds, batch, context, width, layers, heads, learningRate, text,
    ],
    examples: [
      .init(line: "train", purpose: "three recipes beside FP32, in a minute or two"),
      .init(
        line: "train --recipe nvfp4,nvfp4_no_hadamard --baseline bf16 --seeds 5",
        purpose: "what a rotation is worth, with an interval over five seeds"),
    ],
    discussion: [
      """
      The model is a decoder-only Transformer with RMSNorm, GELU and learned positions, trained \
      with AdamW, a warm-up of a tenth of the steps and half a cosine down to a tenth of the \
      learning rate. Operands of all linear layers are quantized as the recipe says and multiplied \
      by the kernels of that format; the rest is FP32. Runs with the same seed see the same data \
      from the same initial weights, so gaps are differences of pairs.
      """,
      """
      Recipes: \(Recipe.catalog.map(\.name).filter { !$0.hasPrefix("nvfp4_no_") }
        .joined(separator: ", ")); and nvfp4 without some of its ingredients, in this order: \
      nvfp4_no_bf16_layers, _no_hadamard, _no_stochastic, _1d_weights.
      """,
      """
      The loss is the mean over the validation data, in nats for each token. Intervals are 95 % \
      confidence intervals over seeds, half their width in a column of its own.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let plan = plan(arguments)
    try plan.check()
    try SpeedCommand.requireOptimised(BuildFacts.configuration, declaration.name)
    let comparison = try TrainingComparison.run(plan) { console.progress($0) }
    for row in comparison.rows {
      for (seed, step) in row.divergences {
        console.warn("\(row.recipe.name), seed \(seed): the loss of step \(step) is not finite")
      }
    }
    console.write(TrainingReport.report(comparison), as: arguments.reportFormat)
    return .done
  }

  /// What a command line asks for.
  static func plan(_ arguments: ParsedArguments) -> TrainingPlan {
    TrainingPlan(
      baseline: arguments[baseline], recipes: arguments[recipes], stepCount: arguments[steps],
      seedCount: arguments[seeds], batchCount: arguments[batch], context: arguments[context],
      width: arguments[width], blockCount: arguments[layers], headCount: arguments[heads],
      learningRate: arguments[learningRate], textPath: arguments[text])
  }
}

extension ValueKind<Recipe> {
  /// A preset by its name.
  static let recipe = ValueKind(
    placeholder: "RECIPE", accepted: "the name of a recipe"
  ) { (text) throws(ValueFailure) in
    do throws(RecipeError) {
      return try Recipe.named(text)
    } catch {
      throw .unknown("recipe", text, known: Recipe.catalog.map(\.name))
    }
  }
}
