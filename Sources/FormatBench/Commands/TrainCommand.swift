import BlockFormats
import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// Trains a small model under recipes of narrow formats and compares where it ends.
enum TrainCommand: Command {
  static let recipes = Option.list(
    "recipe", .recipes, default: "mxfp8, nvfp4, mxfp4", help: "the recipes to train under")
  static let baseline = Option.defaulted(
    "baseline", .recipe, default: "fp32", help: "the recipe that others are compared with")
  static let seeds = Option.defaulted(
    "seeds", .integer(in: 1...1000), default: "3",
    help: "runs of each recipe, with other data and initial weights")
  static let out = Option.optional(
    "out", .text("DIR"), help: "keeps states, curves and the report in a folder")
  static let resume = Option.flag(
    "resume", help: "goes on with the runs in the folder of --out")
  static let saveInterval = Option.defaulted(
    "save-every", .integer(in: 1...10_000_000), default: "50",
    help: "steps between two saves to the folder of --out")
  static let measurementInterval = Option.defaulted(
    "measure-every", .integer(in: 1...10_000_000), default: "100",
    help: "steps between two measurements of all operands, for the folder of --out")

  static let listLayers = Option.flag(
    "list-layers",
    help: "trains nothing: lists the model's layers and what each recipe makes of them")

  static let declaration = CommandDeclaration(
    name: TrainingReport.command, abstract: "Trains a small model under recipes of narrow formats",
    output: .report,
    options: [recipes, baseline, seeds] + TrainOptions.all + [
      out, resume, saveInterval, measurementInterval, PolicyOptions.threads, listLayers,
    ],
    rules: TrainOptions.rules + [
      .needs(resume, out), .needs(saveInterval, out), .needs(measurementInterval, out),
      .excludes(listLayers, out), .excludes(listLayers, seeds),
      .excludes(listLayers, TrainOptions.steps), .excludes(listLayers, TrainOptions.learningRate),
      .excludes(listLayers, TrainOptions.schedule), .excludes(listLayers, TrainOptions.optimizer),
      .excludes(listLayers, TrainOptions.arithmetic), .excludes(listLayers, PolicyOptions.threads),
    ],
    examples: [
      .init(line: "train", purpose: "three recipes beside FP32, in about two minutes"),
      .init(
        line: "train --recipe nvfp4,nvfp4_no_hadamard --baseline bf16 --seeds 5",
        purpose: "what a rotation is worth, with an interval over five seeds"),
      .init(
        line: "train --recipe my.json --text book.txt --steps 1000 --out runs",
        purpose: "a recipe of your own on a text; add --resume after an interruption"),
      .init(
        line: "train --list-layers --model hybrid --recipe nvfp4",
        purpose: "the layers that rules can name, and what becomes of them"),
    ],
    discussion: [
      """
      Models are decoder-only with RMSNorm, trained with a warm-up of a tenth of the steps and a \
      fall to a tenth of the learning rate. What linear layers multiply, what \
      scans read and carry, and rows of the embedding are quantized as the recipe says; products run \
      on the kernels of the formats; the rest is FP32. Runs with the \
      same seed see the same data from the same initial weights, so gaps are differences of pairs.
      """,
      """
      Recipes: \(Recipe.catalog.map(\.name).filter { !$0.hasPrefix("nvfp4_no_") }
        .joined(separator: ", ")); and nvfp4 without some of its ingredients, in this order: \
      nvfp4_no_bf16_layers, _no_hadamard, _no_stochastic, _1d_weights.
      """,
    ] + RecipeHelp.paragraphs + [
      """
      The loss is the mean over the validation data, in nats for each token. Intervals are 95 % \
      confidence intervals over seeds, half their width in a column of its own.
      """,
      """
      With --out, a folder for each run receives its loss curve, its state, and the QSNR, gain, \
      largest error, underflow and saturation of every tensor that is quantized (but the states that \
      scans carry) at measured steps. The same command with --resume goes on where it \
      stopped, or where the last save was if it was killed: losses are the same, bit for bit, as \
      without a stop. More recipes or seeds may be asked for then; finished runs are not repeated. \
      A second command on a folder in use is refused (status 3).
      """,
      """
      Ctrl-C (SIGINT), SIGTERM and SIGHUP end a run after its step: with --out it is saved, and the \
      status is 130; without, nothing is, and the status is 1. Further signals do not disturb the \
      save; Ctrl-\\ and SIGKILL end the command at once. A run whose loss or gradient is \
      not finite ends at that step, with a warning that says what was first not finite; if that \
      happened to every recipe with every seed, the status is 1.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let plan = try plan(arguments)
    guard !arguments[listLayers] else {
      let (layers, warnings) = try plan.check(RunData(plan.setup.data))
      for warning in warnings { console.warn(warning) }
      console.write(LayerList.report(layers, plan), as: arguments.reportFormat)
      return .done
    }
    let isKept = plan.directory != nil
    let comparison = try StopSignals.deferred(
      tell: { signal in
        let end = isKept ? "saving and stopping" : "stopping"
        console.tell("\(signal.name): \(end) after this step")
      },
      { () throws(CommandError) in
        try TrainingComparison(
          plan, isStopped: { StopSignals.noted != nil }, show: { console.progress($0()) })
      })
    if BuildFacts.configuration == .debug {
      console.warn("a debug build: losses are those of any build, times mean nothing")
    }
    for warning in comparison.warnings { console.warn(warning) }
    for row in comparison.rows {
      for end in row.divergences { console.warn("\(row.recipe.name), \(end)") }
    }
    console.write(TrainingReport.report(comparison), as: arguments.reportFormat)
    guard !comparison.isDiverged else {
      throw .checkFailed("every recipe diverged with every seed")
    }
    return .done
  }

  /// What a command line asks for.
  static func plan(_ arguments: ParsedArguments) throws(CommandError) -> TrainingPlan {
    TrainingPlan(
      setup: try TrainOptions.setup(arguments), baseline: arguments[baseline],
      recipes: arguments[recipes].flatMap(\.self), seedCount: arguments[seeds],
      directory: arguments[out].map {
        RunDirectory(path: $0, opening: arguments[resume] ? .resumed : .new)
      }, saveInterval: arguments[saveInterval],
      measurementInterval: arguments[measurementInterval],
      parallelism: PolicyOptions.parallelism(arguments))
  }
}
