import BlockFormats
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Models with experts and predictions of later tokens")
struct ExpertModelTests {
  private func configuration(prediction: MultiTokenDesign?) -> ModelConfiguration {
    let attention = LayerDesign.attention(AttentionDesign(headCount: 4, positions: .rotary))
    let mixture = MixtureDesign(expertCount: 6, chosenCount: 2, hiddenCount: 48)
    var latent = mixture
    (latent.latentCount, latent.sharedHiddenCount) = (16, 32)
    return ModelConfiguration(
      vocabularyCount: 128, width: 32, context: 32,
      blocks: [[attention, .mixture(mixture)], [attention, .mixture(latent)]],
      prediction: prediction)
  }

  private func train(
    _ recipe: Recipe, threads: Int, steps: Int,
    prediction: MultiTokenDesign? = MultiTokenDesign(depth: 2, hiddenCount: 48)
  ) throws -> (outcome: TrainingOutcome, model: StackedModel) {
    let model = try StackedModel(configuration(prediction: prediction), recipe: recipe, seed: 5)
    let trainer = Trainer(
      model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 4, contextCount: 32, seed: 1)),
      options: TrainingOptions(
        stepCount: steps, schedule: .constant(3e-3), validationInterval: 3,
        validationBatchCount: 2, parallelism: .threads(threads)),
      seed: 9)
    return (trainer.run(), model)
  }

  @Test(
    "Threads change no bit of a run", arguments: ["fp32", "nvfp4", "nemotron3", "fp8_delayed"])
  func threads(name: String) throws {
    let recipe = try Recipe.named(name)
    let (one, three) = (
      try train(recipe, threads: 1, steps: 4), try train(recipe, threads: 3, steps: 4)
    )
    let losses = one.outcome.curve.rows.map(\.trainingLoss)
    #expect(losses.count == 4 && losses.allSatisfy { $0.isFinite })
    #expect(losses == three.outcome.curve.rows.map(\.trainingLoss))
    #expect(one.outcome.validationLoss == three.outcome.validationLoss)
    for (a, b) in zip(one.model.parameters, three.model.parameters) {
      #expect(a.array == b.array, "\(a.name)")
    }
  }

  @Test("What comes next is the sequence's next token, not the answer a task asks for")
  func nextTokens() {
    let plan = BatchPlan(batchCount: 3, contextCount: 16)
    for task in SyntheticTask.allCases where task.leastContext <= 16 {
      let batch = task.source(plan).trainingBatch(step: 0)
      let next = batch.nextTokens
      for index in 0..<48 where index % 16 != 15 {
        #expect(next[index] == batch.tokens[index + 1])
      }
    }
    let arithmetic = SyntheticTask.arithmetic.source(plan).trainingBatch(step: 0)
    #expect(arithmetic.nextTokens != arithmetic.targets)
    let corpus = SyntheticTask.corpus.source(plan).trainingBatch(step: 0)
    #expect(corpus.nextTokens == corpus.targets)
  }

  @Test("The loss of the next token falls, and is all that is reported")
  func learns() throws {
    let run = try train(.fp32, threads: 2, steps: 24).outcome
    let first = run.curve.rows[0].trainingLoss
    // A model that knows nothing guesses among 128 tokens: ln 128 = 4.85.
    #expect(abs(first - 4.85) < 0.1)
    #expect(run.validationLoss < first - 0.3)
    // Without predictions the first loss is the same, and the second one is not.
    let plain = try train(.fp32, threads: 2, steps: 2, prediction: nil).outcome
    #expect(plain.curve.rows[0].trainingLoss == first)
    #expect(plain.curve.rows[1].trainingLoss != run.curve.rows[1].trainingLoss)
  }
}
