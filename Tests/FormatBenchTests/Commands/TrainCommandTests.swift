import BlockFormats
import CommandLineTestSupport
import Foundation
import LowPrecisionTraining
import Testing
import TrainingRecipes

@testable import CommandLineToolkit
@testable import FormatBench

@Suite("fmtbench train")
struct TrainCommandTests {
  private func plan(recipes: [Recipe], steps: Int = 3, seeds: Int = 2) -> TrainingPlan {
    TrainingPlan(
      setup: RunSetup(
        model: .transformer, stepCount: steps, batchCount: 2, context: 16, width: 16, depth: 1,
        headCount: 2, learningRate: 1e-3, schedule: .cosine, optimizer: .adamW, arithmetic: .packed,
        data: .task(.corpus)), baseline: GivenRecipe(.fp32),
      recipes: recipes.map { GivenRecipe($0) }, seedCount: seeds)
  }

  @Test("Every recipe has a row with the documented keys, and the baseline's gap is nothing")
  func rows() throws {
    let plan = plan(recipes: [try Recipe.named("mxfp4"), .fp32])
    let comparison = try TrainingComparison(plan)
    #expect(comparison.rows.map(\.recipe.name) == ["fp32", "mxfp4"])
    #expect(comparison.rows[0].difference.nats.mean == 0)
    #expect(comparison.rows[0].difference.percent == 0)
    #expect(comparison.rows[1].losses.count == 2)
    #expect(comparison.rows[1].losses != comparison.rows[0].losses)
    let text = ReportFormat.json.text(
      of: TrainingReport.report(comparison), for: .file)
    for key in [
      "recipe", "seeds", "steps", "validation_loss", "validation_loss_interval", "gap_percent",
      "gap_interval_percent", "step_seconds", "diverged",
    ] {
      #expect(text.contains("\"\(key)\""), "\(key)")
    }
  }

  @Test("Recipes that are the baseline train the same numbers, bit for bit")
  func plain() throws {
    var named = Recipe.fp32
    named.name = "fp32_again"
    let comparison = try TrainingComparison(plan(recipes: [named]))
    #expect(comparison.rows[0].losses == comparison.rows[1].losses)
  }

  @Test("A loss that is not a number ends its recipe with its step, and the others go on")
  func divergence() throws {
    let comparison = try TrainingComparison(plan(recipes: [.diverging, .bf16]))
    let cause = """
      the input of blocks.0.mlp.up as fp8_e4m3_tensor is the first thing that is not finite \
      (nan at 0)
      """
    #expect(
      comparison.rows[1].divergences == [
        .init(seed: 0, step: 2, cause: cause), .init(seed: 1, step: 2, cause: cause),
      ])
    #expect(!comparison.isDiverged)
    let report = ReportFormat.json.text(of: TrainingReport.report(comparison), for: .file)
    #expect(report.contains("\"divergences\": \"seed 0, step 2: \(cause); seed 1, step 2: "))
    #expect(comparison.rows[1].losses.allSatisfy { $0.isNaN })
    #expect(comparison.rows[1].outcomes.allSatisfy { $0.curve.rows.count == 2 })
    for row in [comparison.rows[0], comparison.rows[2]] {
      #expect(row.divergences.isEmpty)
      #expect(row.losses.allSatisfy { $0.isFinite })
    }
  }

  @Test("A comparison whose every recipe diverged fails, whatever the baseline does")
  func allDiverged() throws {
    #expect(try TrainingComparison(plan(recipes: [.diverging])).isDiverged)
    #expect(try !TrainingComparison(plan(recipes: [.bf16])).isDiverged)
    #expect(try !TrainingComparison(plan(recipes: [.fp32])).isDiverged)
  }

  @Test("A command line whose every recipe diverged writes its report and has status 1")
  func divergedStatus() throws {
    let folder = try TemporaryFolder()
    let recipe = folder.path("diverging.json")
    try Recipe.diverging.json.write(toFile: recipe, atomically: true, encoding: .utf8)
    let common = [
      "train", "--steps", "3", "--batch", "2", "--context", "16", "--width", "16", "--layers", "1",
      "--heads", "2", "--seeds", "1", "--json",
    ]
    let failed = runFmtbench(common + ["--recipe", recipe])
    #expect(failed.status == .checkFailed)
    #expect(failed.stdout.contains("\"diverged\": 1"))
    #expect(failed.stderr.contains("error: every recipe diverged with every seed"))
    #expect(failed.stderr.contains("the input of blocks.0.mlp.up as fp8_e4m3_tensor is the first"))
    let passed = runFmtbench(common + ["--recipe", recipe + ",bf16"])
    #expect(passed.status == .done)
    #expect(passed.stderr.contains("diverging, seed 0, step 2: the input of blocks.0"))
  }

  @Test("Threads change no loss")
  func threads() throws {
    let losses = try [1, 3].map { count in
      var plan = plan(recipes: [try Recipe.named("nvfp4")])
      plan.parallelism = .threads(count)
      return try TrainingComparison(plan).rows.map(\.losses)
    }
    #expect(losses[0] == losses[1])
    let parsed = try TrainCommand.plan(
      ArgumentParser(declaration: TrainCommand.declaration).parse(["--threads", "3"]))
    #expect(parsed.parallelism == .threads(3))
  }

  @Test("A width that heads do not divide is a usage error with both numbers")
  func width() throws {
    var plan = plan(recipes: [])
    plan.setup.headCount = 3
    #expect(throws: CommandError.usage("--width 16 is not a multiple of --heads 3")) {
      try plan.setup.check()
    }
  }

  @Test("Sizes that no machine holds are an input error before anything is allocated")
  func huge() throws {
    var plan = plan(recipes: [])
    (plan.setup.batchCount, plan.setup.context, plan.setup.depth) = (4096, 65_536, 256)
    #expect {
      try TrainingComparison(plan)
    } throws: { error in
      guard case .input(let message)? = error as? CommandError else { return false }
      return message.hasPrefix("this model (less with another --batch")
        && message.contains("TiB of memory, and ")
    }
    // The largest options do not overflow.
    (plan.setup.width, plan.setup.headCount) = (8192, 256)
    for model in ModelKind.allCases {
      plan.setup.model = model
      #expect(plan.setup.byteCount(for: .training(isKept: true)) > 1 << 57)
      #expect(plan.setup.byteCount(for: .casting(recipeCount: 100)) > 1 << 57)
    }
  }

  @Test(
    "The memory asked for is what a step takes, and not much more", arguments: ModelKind.allCases)
  func memory(model: ModelKind) throws {
    var setup = plan(recipes: []).setup
    (setup.model, setup.batchCount, setup.context) = (model, 8, 64)
    (setup.width, setup.depth) = (64, 2)
    let data = try RunData(setup.data)
    let trainer = try setup.trainer(
      try Recipe.named("mxfp4"), on: data, seed: 0, measurementInterval: nil,
      parallelism: .allCores)
    _ = trainer.advance()
    #expect(trainer.model.parameterCount <= setup.parameterBound)
    #expect(2 * trainer.model.parameterCount >= setup.leastParameterCount)
    #expect(3 * trainer.model.parameterCount >= setup.parameterBound)
    #expect(trainer.activationByteCount <= setup.activationByteBound)
    // Memory comes in chunks of 16 MiB, and the bound has room for one that is hardly used.
    #expect(2 * (trainer.activationByteCount + (16 << 20)) >= setup.activationByteBound)
  }

  @Test("Models without attention take contexts and widths that attention could not")
  func longContexts() throws {
    var setup = plan(recipes: []).setup
    (setup.model, setup.context, setup.headCount) = (.mamba, 65_536, 3)
    try setup.check()
    setup.model = .hybrid
    #expect(throws: CommandError.usage("--width 16 is not a multiple of --heads 3")) {
      try setup.check()
    }
  }

  @Test("The recipes that the help shows exist")
  func examples() throws {
    for name in ["nvfp4", "nvfp4_no_hadamard", "nvfp4_no_bf16_layers", "nvfp4_no_stochastic"] {
      #expect(try Recipe.named(name).name == name)
    }
  }

  @Test("A text that is not there is an input error")
  func missingText() throws {
    var plan = plan(recipes: [])
    plan.setup.data = .text(path: "/nowhere/at/all.txt")
    #expect {
      try TrainingComparison(plan)
    } throws: { error in
      guard case .input(let message)? = error as? CommandError else { return false }
      return message.contains("/nowhere/at/all.txt")
    }
  }
}

extension Recipe {
  /// A recipe under which the second step's loss is no number.
  static var diverging: Recipe {
    var policy = ScaledFormat.fp8(.e4m3fn, block: .tensor).defaultPolicy
    policy.overflow = .special
    // From the second step on, scales are 2^20 times too large: every operand becomes NaN.
    let quantization = BlockQuantization(
      .fp8(.e4m3fn, block: .tensor), policy: policy,
      scaling: .delayed(DelayedScaling(margin: -20)))
    return Recipe(
      name: "diverging", source: "a test",
      rules: [RecipeRule(.block(quantization), layers: [.mlpUp], products: [.forward])])
  }
}
