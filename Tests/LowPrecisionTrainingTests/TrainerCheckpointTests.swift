import BlockFormats
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("States of a run")
struct TrainerCheckpointTests {
  private func trainer(
    _ recipe: Recipe, optimizer: OptimizerKind = .adamW, seed: UInt32 = 9
  ) throws -> Trainer {
    Trainer(
      try StackedModel(
        .transformer(vocabularyCount: 128, width: 32, blockCount: 1, headCount: 2, context: 16),
        recipe: recipe, seed: 5),
      on: SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16, seed: 1)),
      options: TrainingOptions(
        stepCount: 7, schedule: .cosine(peak: 1e-2, warmUp: 2, total: 7), optimizer: optimizer,
        validationInterval: 2, validationBatchCount: 2), seed: seed)
  }

  private func losses(_ curve: LossCurve) -> [[Double?]] {
    curve.rows.map { [Double($0.step), $0.trainingLoss, $0.validationLoss, $0.gradientNorm] }
  }

  @Test(
    "A run taken up from a file goes on bit for bit, random bits and delayed scales included",
    arguments: ["fp32", "nvfp4", "fp8_delayed"], OptimizerKind.allCases)
  func resumes(name: String, optimizer: OptimizerKind) throws {
    let recipe = try Recipe.named(name)
    let whole = try trainer(recipe, optimizer: optimizer)
    whole.run()

    let first = try trainer(recipe, optimizer: optimizer)
    for _ in 0..<3 { _ = first.advance() }
    let folder = try TemporaryFolder()
    let path = folder["state.safetensors"]
    try first.checkpoint().write(to: path)
    let savedCurve = first.curve
    // The curve may be ahead of the state.
    _ = first.advance()
    let second = try trainer(recipe, optimizer: optimizer)
    try second.restore(try Checkpoint(path: path), curve: first.curve, path: path)
    #expect(losses(second.curve) == losses(savedCurve))
    second.run()
    #expect(losses(second.curve) == losses(whole.curve))
    #expect(second.checkpoint() == whole.checkpoint())
  }

  @Test("A state of another seed, model or recipe is refused by name, and the run stays as it was")
  func refuses() throws {
    let trainer = try trainer(.fp32)
    let before = trainer.checkpoint()
    let other = try self.trainer(.fp32, seed: 10).checkpoint()
    #expect(throws: CheckpointError.otherRun(path: "x", step: 0, curveRows: 0)) {
      try trainer.restore(other, curve: LossCurve(), path: "x")
    }
    var missing = before
    missing.arrays["norm.weight"] = nil
    missing.arrays["head.weight"] = Checkpoint.Array(shape: [1], values: [0])
    missing.counters["step"] = nil
    #expect {
      try trainer.restore(missing, curve: LossCurve(), path: "x")
    } throws: { error in
      guard case .mismatch(_, let mismatch)? = error as? CheckpointError else { return false }
      return mismatch.missing == ["norm.weight", "step"]
        && mismatch.different.map(\.name) == ["head.weight"]
    }
    let delayed = try self.trainer(try Recipe.named("fp8_delayed")).checkpoint()
    #expect {
      try trainer.restore(delayed, curve: LossCurve(), path: "x")
    } throws: { error in
      guard case .mismatch(_, let mismatch)? = error as? CheckpointError else { return false }
      return mismatch.unexpected.contains("scaling.blocks.0.mlp.up.input.forward")
    }
    #expect(trainer.checkpoint() == before)
  }

  @Test(
    "Counters beyond the run, or a curve that is too short, are refused", arguments: [-1, 1, 8])
  func counters(step: Int64) throws {
    let trainer = try trainer(.fp32)
    var state = trainer.checkpoint()
    state.counters["step"] = step
    #expect(throws: CheckpointError.self) {
      try trainer.restore(state, curve: LossCurve(), path: "x")
    }
    #expect(trainer.step == 0)
  }

  @Test("Delayed scales that no step makes are refused", arguments: [0, -1, Float.nan, .infinity])
  func scales(scale: Float) throws {
    let trainer = try trainer(try Recipe.named("fp8_delayed"))
    var state = trainer.checkpoint()
    let name = "scaling.blocks.0.mlp.up.input.forward"
    var values = try #require(state.arrays[name]).values
    values[values.count - 1] = scale
    state.arrays[name] = Checkpoint.Array(shape: [values.count], values: values)
    #expect(throws: CheckpointError.self) {
      try trainer.restore(state, curve: LossCurve(), path: "x")
    }
  }
}
