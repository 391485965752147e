import BlockFormats
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Mistakes of callers of training")
struct CallerMistakeTests {
  /// Whether an exit test's error output holds a message.
  private func reports(_ result: ExitTest.Result?, _ message: String) -> Bool {
    guard let result else { return false }
    return String(decoding: result.standardErrorContent, as: UTF8.self).contains(message)
  }

  @Test("Keys and matrices out of range trap with the numbers")
  func numbers() async {
    let key = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let key = StreamKey(layer: 1 << 19, tensor: .input, product: .forward, step: 0)
      _ = RandomStreams(seed: 0).source(for: key)
    }
    #expect(reports(key, "layer 524288 is outside 0..<2^19"))
    let matrix = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HadamardTransform(length: 16).transformed([1, 2, 3], rows: 2, columns: 2, axis: 1)
    }
    #expect(reports(matrix, "buffers of 3 and 3 values for a matrix of 2x2"))
  }

  @Test("Extents, constants and options that make no model or run trap with the numbers")
  func models() async {
    let depth = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ModelKind.hybrid.configuration(
        vocabularyCount: 8, width: 16, depth: -1, headCount: 2, context: 4)
    }
    #expect(reports(depth, "a model of depth -1, 16 channels, 2 heads"))
    let decay = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AdamW([], decays: (0.9, 1))
    }
    #expect(reports(decay, "AdamW with decays 0.9 and 1.0"))
    let momentum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SGD([], momentum: .nan)
    }
    #expect(reports(momentum, "SGD with a momentum of nan"))
    let batches = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let model = try StackedModel(
        .transformer(vocabularyCount: 128, width: 8, blockCount: 1, headCount: 1, context: 8),
        seed: 0)
      let source = SyntheticCorpus(plan: BatchPlan(batchCount: 1, contextCount: 8))
      _ = DirectCast.casts(of: [], against: model, on: source, batchCount: 0)
    }
    #expect(reports(batches, "0 validation batches"))
    let looks = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let model = try StackedModel(
        .transformer(vocabularyCount: 128, width: 8, blockCount: 1, headCount: 1, context: 8),
        seed: 0)
      _ = Trainer(
        model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 1, contextCount: 8)),
        options: TrainingOptions(stepCount: 1, schedule: .constant(1), validationInterval: 0),
        seed: 0)
    }
    #expect(reports(looks, "looks at 8 validation batches every 0 steps"))
  }

  @Test("Tensors of impossible shapes and experts that do not exist trap with the numbers")
  func tensors() async {
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tape().constant([1], shape: [-1, -1])
    }
    #expect(reports(shape, "1 numbers for shape [-1, -1]"))
    let expert = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tape = Tape()
      let routing = tape.route(tape.constant([1, 2], shape: [1, 2]), choosing: 1)
      _ = tape.gather(tape.constant([1], shape: [1, 1]), for: 2, routing)
    }
    #expect(reports(expert, "expert 2 of 2"))
    let linear = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Linear(
        weight: Parameter("w", shape: [1, 1], values: [1], isDecayed: false),
        quantization: try LayerQuantization(LayerPlace(.mambaScan), number: 0, recipe: .fp32))
    }
    #expect(reports(linear, "the quantization of mamba_scan, which is no linear layer"))
  }
}
