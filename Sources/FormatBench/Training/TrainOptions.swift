import CommandLineToolkit
import LowPrecisionTraining

/// The options that decide a run, for commands that train and for checkpoints read back.
enum TrainOptions {
  static let model = Option.defaulted(
    "model", .choice("model", of: ModelKind.self), default: "transformer",
    help: "the model to train")
  static let steps = Option.defaulted(
    "steps", .integer(in: 1...10_000_000), default: "300", help: "the steps of a run")
  static let batch = Option.defaulted(
    "batch", .integer(in: 1...4096), default: "16", help: "sequences of a step")
  static let context = Option.defaulted(
    "context", .integer(in: 2...65_536), default: "64", help: "tokens of a sequence")
  static let width = Option.defaulted(
    "width", .integer(in: 8...8192), default: "96",
    help: "channels; a multiple of the heads where there is attention")
  static let layers = Option.defaulted(
    "layers", .integer(in: 1...256), default: "4",
    help: "blocks of a Transformer, pairs of layers of other models")
  static let heads = Option.defaulted(
    "heads", .integer(in: 1...256), default: "4", help: "attention heads of a block")
  static let learningRate = Option.defaulted(
    "lr", .number(in: 0...10), default: "0.003", help: "the highest learning rate")
  static let schedule = Option.defaulted(
    "schedule", .choice("schedule", of: RunSetup.ScheduleKind.self), default: "cosine",
    help: "how the learning rate falls: half a cosine, or a straight line in the last fifth")
  static let optimizer = Option.defaulted(
    "optimizer", .choice("optimizer", of: OptimizerKind.self), default: "adamw",
    help: "what turns gradients into new weights")
  static let arithmetic = Option.defaulted(
    "arithmetic", .choice("arithmetic", of: ProductArithmetic.self), default: "packed",
    help: "multiplies codes by the packed kernels, or decoded operands in FP32, as emulators do")
  static let task = Option.defaulted(
    "task", .choice("task", of: SyntheticTask.self), default: "corpus",
    help: "the generated data to train on")
  static let text = Option.optional(
    "text", .text("FILE"), help: "trains on the bytes of a file instead")

  /// All of them, in the order of the help.
  static let all: [any OptionDeclaration] = [
    model, steps, batch, context, width, layers, heads, learningRate, schedule, optimizer,
    arithmetic, task,
    text,
  ]

  /// Which of them exclude each other.
  static let rules: [OptionRule] = [.excludes(task, text)]

  /// What a command line asks for.
  static func setup(_ arguments: ParsedArguments) throws(CommandError) -> RunSetup {
    let attentionCount = arguments[model].attentionCount(depth: arguments[layers])
    guard attentionCount > 0 || !arguments.isGiven(heads) else {
      throw .usage("--heads: \(arguments[model].rawValue) has no attention")
    }
    return RunSetup(
      model: arguments[model], stepCount: arguments[steps], batchCount: arguments[batch],
      context: arguments[context], width: arguments[width], depth: arguments[layers],
      headCount: arguments[heads], learningRate: arguments[learningRate],
      schedule: arguments[schedule], optimizer: arguments[optimizer],
      arithmetic: arguments[arithmetic],
      data: arguments[text].map { .text(path: $0) } ?? .task(arguments[task]))
  }
}
