import CommandLineToolkit
import LowPrecisionTraining

/// Casts the operands of a trained model into narrow formats and measures what changes.
enum EvalCommand: Command {
  static let checkpoint = Argument<String>.required(
    "CHECKPOINT", .path, help: "a state.safetensors that 'fmtbench train --out' saved")
  static let recipes = Option.list(
    "recipe", .recipes, default: "bf16, mxfp8, mxfp6_e3m2, mxint8, nvfp4, mxfp4",
    help: "the recipes to cast by")
  static let corruption = Option.defaulted(
    "corrupt", .number(in: 0...1), default: "0.1",
    help: "the share of input tokens that corrupted input replaces")
  static let text = Option.optional(
    "text", .text("FILE"), help: "reads this file instead of the one the model was trained on")
  static let batches = Option.defaulted(
    "batches", .integer(in: 1...100_000), default: "16", help: "validation batches")

  static let declaration = CommandDeclaration(
    name: EvaluationReport.command,
    abstract: "Casts a trained model into narrow formats and compares predictions",
    output: .report, arguments: [checkpoint],
    options: [recipes, corruption, text, batches, PolicyOptions.threads],
    examples: [
      .init(
        line: "eval runs/fp32/seed-0/state.safetensors",
        purpose: "a model trained in FP32 under six recipes"),
      .init(
        line: "eval state.safetensors --recipe all --corrupt 0.3 --json",
        purpose: "all recipes, a third of the input wrong, for a program"),
    ],
    discussion: [
      """
      Weights and activations of the forward pass are quantized as the recipe says, without further \
      training. Narrow models can match the loss of the wide one and still predict differently, so \
      the divergence of predictions and the share of changed first choices stand beside it, and \
      all of it again under corrupted input. Delayed scales come from one training batch.
      """
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let plan = EvaluationPlan(
      checkpointPath: arguments[checkpoint], recipes: arguments[recipes].flatMap(\.self),
      corruption: arguments[corruption], textPath: arguments[text],
      batchCount: arguments[batches], parallelism: PolicyOptions.parallelism(arguments))
    let evaluation = try plan.run { console.progress($0()) }
    for warning in evaluation.warnings { console.warn(warning) }
    console.write(EvaluationReport.report(evaluation), as: arguments.reportFormat)
    return .done
  }
}
