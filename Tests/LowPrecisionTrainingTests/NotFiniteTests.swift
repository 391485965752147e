import Testing

@testable import LowPrecisionTraining

@Suite("What is first not finite")
struct NotFiniteTests {
  private func trainer(_ change: (StackedModel) -> Void) throws -> Trainer {
    let source = SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16))
    let model = try StackedModel(
      .transformer(
        vocabularyCount: source.vocabularyCount, width: 16, blockCount: 2, headCount: 2,
        context: 16), seed: 0)
    change(model)
    let rates = LearningRateSchedule.cosine(peak: 1e-3, final: 1e-4, warmUp: 1, total: 3)
    return Trainer(
      model, on: source,
      options: TrainingOptions(stepCount: 3, schedule: rates, validationBatchCount: 2), seed: 0)
  }

  private func set(_ name: String, _ index: Int, _ value: Float, in model: StackedModel) {
    for parameter in model.parameters where parameter.name == name {
      var numbers = parameter.array
      numbers[index] = value
      parameter.replace(with: numbers)
    }
  }

  @Test("A step that goes well names nothing")
  func nothing() throws {
    let trainer = try trainer { _ in }
    #expect(trainer.advance()?.trainingLoss.isFinite == true)
    #expect(trainer.notFinite == nil)
  }

  @Test(
    "A weight comes before everything that is computed from it", arguments: [Float.infinity, .nan])
  func weight(value: Float) throws {
    let trainer = try trainer { set("blocks.1.mlp.up.weight", 17, value, in: $0) }
    _ = trainer.advance()
    let found = try #require(trainer.notFinite)
    #expect(found.tensor == "blocks.1.mlp.up.weight")
    #expect(found.index == 17)
    #expect(found.value.bitPattern == value.bitPattern)
    #expect(trainer.isFinished)
  }

  @Test("A result comes before the loss, and is named after its operation")
  func result() throws {
    // A gain of 3e38 is finite, and what the next product makes of it is not.
    let trainer = try trainer { model in
      for index in 0..<16 { set("blocks.1.mlp.norm.weight", index, 3e38, in: model) }
    }
    _ = trainer.advance()
    let found = try #require(trainer.notFinite)
    #expect(
      [
        "the result of rmsNorm with blocks.1.mlp.norm.weight",
        "the result of linear with blocks.1.mlp.up.weight",
      ].contains(found.tensor), "\(found)")
    #expect(!found.value.isFinite)
  }

  @Test("A gradient is found on the way back, before the parameters that it reaches later")
  func gradient() throws {
    let tape = Tape()
    let head = Parameter("head", shape: [4], values: [1, 1, 1, 1], isDecayed: false)
    let gain = Parameter("gain", shape: [4], values: [1e30, 1e30, 1e30, 1e30], isDecayed: false)
    let x = tape.constant([1, 2, 3, 4], shape: [1, 4])
    let scaled = tape.rmsNorm(x, weight: head)
    let y = tape.rmsNorm(scaled, weight: gain)
    #expect(y.array.allSatisfy { $0.isFinite })
    tape.backward(from: y, scale: 1e20)
    let found = try #require(tape.firstNotFinite([head, gain]))
    // The gain's own gradient, 1e20 times numbers near 1, is finite.
    #expect(gain.gradientArray.allSatisfy { $0.isFinite })
    #expect(found.tensor == "the gradient of the result of rmsNorm with head")
    #expect(found.description.contains(" is the first thing that is not finite ("))
    tape.reset()
    #expect(tape.firstNotFinite([]) == nil)
  }

  @Test("The gradient of a parameter is named where that of its result is finite")
  func parameterGradient() throws {
    let tape = Tape()
    let gain = Parameter("gain", shape: [2], values: [1, 1], isDecayed: false)
    let x = tape.constant([1, 1, 1, 1, 1, 1, 1, 1], shape: [4, 2])
    let y = tape.rmsNorm(x, weight: gain)
    tape.backward(from: y, scale: 2e38)
    let found = try #require(tape.firstNotFinite([gain]))
    #expect(found.tensor == "the gradient of gain")
    #expect(found.value == .infinity && found.index == 0)
  }
}
