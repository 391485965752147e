import BlockFormats
import FormatTestSupport
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Optimizers")
struct OptimizerTests {
  enum Kind: CaseIterable {
    case adamW
    case sgd

    func make(_ parameters: [Parameter]) -> any Optimizer {
      switch self {
      case .adamW: AdamW(parameters)
      case .sgd: SGD(parameters, weightDecay: 0.01)
      }
    }
  }

  private func makeParameters() -> [Parameter] {
    // More numbers than one task takes.
    [
      Parameter(
        "matrix", shape: [40, 1000], values: GradientCheck.numbers(40_000, seed: 1), isDecayed: true
      ),
      Parameter("gain", shape: [3], values: [1, 2, 3], isDecayed: false),
    ]
  }

  private func setGradients(_ parameters: [Parameter], step: Int) {
    for (index, parameter) in parameters.enumerated() {
      let numbers = GradientCheck.numbers(parameter.count, seed: UInt64(10 * step + index))
      for (place, value) in numbers.enumerated() { parameter.gradient[place] = value }
    }
  }

  @Test(
    "A restored optimizer goes on bit for bit, on any number of threads", arguments: Kind.allCases)
  func restoring(kind: Kind) {
    func run(_ optimizer: any Optimizer, _ steps: Range<Int>, threads: Int) {
      for step in steps {
        setGradients(optimizer.parameters, step: step)
        optimizer.step(learningRate: 0.1, clippingNorm: 1, parallelism: .threads(threads))
      }
    }
    let whole = kind.make(makeParameters())
    run(whole, 0..<4, threads: 1)
    let begun = kind.make(makeParameters())
    run(begun, 0..<2, threads: 3)
    let resumed = kind.make(makeParameters())
    for (new, old) in zip(resumed.parameters, begun.parameters) { new.replace(with: old.array) }
    let before = resumed.state
    resumed.restore(begun.state, stepCount: begun.stepCount)
    #expect(before != resumed.state)
    run(resumed, 2..<4, threads: 2)
    #expect(resumed.stepCount == 4)
    #expect(resumed.state == whole.state)
    for (a, b) in zip(resumed.parameters, whole.parameters) { #expect(a.array == b.array) }
    let names = whole.state.keys.sorted()
    #expect(
      names
        == (kind == .sgd
          ? ["optimizer.momentum.gain", "optimizer.momentum.matrix"]
          : [
            "optimizer.first.gain", "optimizer.first.matrix", "optimizer.second.gain",
            "optimizer.second.matrix",
          ]))
  }

  @Test("Momentum adds up, decay goes through it, and only where a parameter is decayed")
  func momentum() {
    let decayed = Parameter("w", shape: [1], values: [8], isDecayed: true)
    let plain = Parameter("b", shape: [1], values: [8], isDecayed: false)
    let optimizer = SGD([decayed, plain], momentum: 0.5, weightDecay: 0.25)
    for _ in 0..<2 {
      (decayed.gradient[0], plain.gradient[0]) = (2, 2)
      optimizer.step(learningRate: 0.5, clippingNorm: nil, parallelism: .threads(1))
      #expect(decayed.gradientArray == [0])
    }
    // g' = 2 + 8/4 = 4, m = 4, w = 6; g' = 3.5, m = 5.5, w = 3.25.
    #expect(decayed.array == [3.25])
    // m = 2, w = 7; m = 3, w = 5.5.
    #expect(plain.array == [5.5])
    // The norm is 5, and a fifth of the gradients is left.
    (decayed.gradient[0], plain.gradient[0]) = (3, 4)
    #expect(optimizer.gradientNorm() == 5)
    let clipped = SGD([plain], momentum: 0)
    plain.gradient[0] = 4
    #expect(clipped.step(learningRate: 1, clippingNorm: 2) == 4)
    #expect(plain.array == [3.5])
  }

  @Test("Kinds print as they are read, and each is listed once")
  func kinds() {
    #expect(OptimizerKind.allCases.map(\.rawValue) == ["adamw", "sgd"])
    for kind in OptimizerKind.allCases { #expect(OptimizerKind("\(kind)") == kind) }
    #expect(OptimizerKind("adam") == nil)
    #expect(OptimizerKind.adamW.make([]) is AdamW)
    #expect(OptimizerKind.sgd.make([]) is SGD)
  }

  @Test("A run takes an optimizer of the caller's own")
  func ownKind() throws {
    let kind = OptimizerKind(id: "plain") { SGD($0, momentum: 0) }
    #expect(OptimizerKind("plain") == nil && kind != .sgd)
    let model = try StackedModel(
      .transformer(vocabularyCount: 128, width: 8, blockCount: 1, headCount: 1, context: 8),
      seed: 0)
    let trainer = Trainer(
      model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 1, contextCount: 8)),
      options: TrainingOptions(
        stepCount: 1, schedule: .constant(0.1), optimizer: kind, validationBatchCount: 1),
      seed: 0)
    trainer.run()
    #expect((trainer.optimizer as? SGD)?.momentum == 0)
    #expect(trainer.optimizer.stepCount == 1)
  }

  @Test("A state of other shapes is refused")
  func mistakes() async {
    await #expect(processExitsWith: .failure) {
      let w = Parameter("w", shape: [2], values: [1, 2], isDecayed: true)
      SGD([w]).restore(
        ["optimizer.momentum.w": Checkpoint.Array(shape: [1], values: [0])], stepCount: 1)
    }
  }
}
