import BlockFormats
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Training runs")
struct TrainerTests {
  private func outcome(
    _ recipe: Recipe, threads: Int, steps: Int = 6,
    configuration: ModelConfiguration = .transformer(
      vocabularyCount: 128, width: 32, blockCount: 2, headCount: 4, context: 32)
  ) throws -> (outcome: TrainingOutcome, model: StackedModel) {
    let model = try StackedModel(configuration, recipe: recipe, seed: 5)
    let trainer = Trainer(
      model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 4, contextCount: 32, seed: 1)),
      options: TrainingOptions(
        stepCount: steps, schedule: .constant(3e-3), validationInterval: 3,
        validationBatchCount: 2, parallelism: .threads(threads)),
      seed: 9)
    return (trainer.run(), model)
  }

  @Test(
    "Threads change no bit of a run, random bits and rotations included",
    arguments: ["fp32", "mxfp8", "nvfp4", "fp8_delayed"])
  func threads(name: String) throws {
    let recipe = try Recipe.named(name)
    let (one, three) = (try outcome(recipe, threads: 1), try outcome(recipe, threads: 3))
    let losses = one.outcome.curve.rows.map(\.trainingLoss)
    #expect(losses.count == 6 && losses.allSatisfy { $0.isFinite })
    #expect(losses == three.outcome.curve.rows.map(\.trainingLoss))
    #expect(one.outcome.validationLoss == three.outcome.validationLoss)
    for (a, b) in zip(one.model.parameters, three.model.parameters) {
      #expect(a.array == b.array, "\(a.name)")
    }
  }

  @Test("The loss falls, under every kind of block and position")
  func learns() throws {
    let plain = try outcome(.fp32, threads: 2, steps: 24).outcome
    let block: [LayerDesign] = [
      .attention(AttentionDesign(headCount: 4, keyHeadCount: 2, positions: .rotary)),
      .mlp(MLPDesign(hiddenCount: 128, kind: .swiGLU)),
    ]
    let other = try outcome(
      .fp32, threads: 2, steps: 24,
      configuration: ModelConfiguration(
        vocabularyCount: 128, width: 32, context: 32, blocks: [block, block])
    ).outcome
    for run in [plain, other] {
      let first = run.curve.rows[0].trainingLoss
      // A model that knows nothing guesses among 128 tokens: ln 128 = 4.85.
      #expect(abs(first - 4.85) < 0.1)
      #expect(run.validationLoss < first - 0.3)
      #expect(run.divergedAt == nil)
    }
  }

  @Test("Looks at the validation data change no step, delayed scales included")
  func looks() throws {
    let recipe = try Recipe.named("fp8_delayed")
    let runs = try [1, 6].map { interval in
      let model = try StackedModel(
        .transformer(vocabularyCount: 128, width: 32, blockCount: 1, headCount: 2, context: 16),
        recipe: recipe, seed: 1)
      let trainer = Trainer(
        model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16, seed: 1)),
        options: TrainingOptions(
          stepCount: 6, schedule: .constant(3e-2), validationInterval: interval), seed: 1)
      return trainer.run().curve.rows.map(\.trainingLoss)
    }
    #expect(runs[0] == runs[1])
  }

  @Test("Measured steps note every narrowed operand once, and change no loss")
  func measured() throws {
    let recipe = try Recipe.named("nvfp4")
    func run(every interval: Int?) throws -> (trainer: Trainer, model: StackedModel) {
      let model = try StackedModel(
        .transformer(vocabularyCount: 128, width: 32, blockCount: 2, headCount: 2, context: 16),
        recipe: recipe, seed: 1)
      let trainer = Trainer(
        model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16, seed: 1)),
        options: TrainingOptions(
          stepCount: 4, schedule: .constant(1e-3), validationInterval: 1, validationBatchCount: 1,
          measurementInterval: interval), seed: 1)
      trainer.run()
      return (trainer, model)
    }
    let (measured, model) = try run(every: 3)
    let plain = try run(every: nil).trainer
    #expect(
      measured.curve.rows.map(\.trainingLoss) == plain.curve.rows.map(\.trainingLoss))
    #expect(plain.operandErrors.rows.isEmpty)
    let roles = model.quantizations.flatMap(\.place.roles)
      .filter { recipe.choice(for: $0) != .float32 }
      .map { "\($0.place.name) \($0.tensor) \($0.product)" }
    // The first step, every third and the last.
    for step in [0, 2, 3] {
      let rows = measured.operandErrors.rows.filter { $0.step == step }
      #expect(rows.map { "\($0.layer) \($0.tensor) \($0.product)" }.sorted() == roles.sorted())
    }
    #expect(measured.operandErrors.rows.count == 3 * roles.count)
  }

  @Test("A run whose loss is not a number stops there and leaves the parameters alone")
  func divergence() throws {
    let model = try StackedModel(
      .transformer(vocabularyCount: 128, width: 32, blockCount: 1, headCount: 2, context: 16),
      seed: 1)
    let norm = try #require(model.parameters.first { $0.name == "norm.weight" })
    norm.replace(with: [Float](repeating: .nan, count: norm.count))
    let before = model.parameters[0].array
    let trainer = Trainer(
      model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16, seed: 1)),
      options: TrainingOptions(stepCount: 5, schedule: .constant(1e-3)), seed: 1)
    let run = trainer.run()
    #expect(run.divergedAt == 0)
    #expect(run.validationLoss.isNaN)
    #expect(run.curve.rows.count == 1)
    #expect(model.parameters[0].array == before)
  }
}
