import BlockFormats
import QuantizedLinearAlgebra
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Layers that a step uses more than once")
struct UseTests {
  private func makeLayer(_ choice: BlockQuantization, _ n: Int, _ k: Int) -> Linear {
    Linear(
      weight: Parameter(
        "weight", shape: [n, k], values: GradientCheck.numbers(n * k, seed: 2), isDecayed: true),
      quantization: LayerQuantization(
        LayerPlace(.head), number: 3,
        uncheckedRecipe: Recipe(
          name: "inputs", source: "this test",
          rules: [RecipeRule(.block(choice), tensors: [.input], products: [.forward])])))
  }

  @Test("Every use of a step has random bits of its own, and the next step starts over")
  func randomBits() throws {
    let (t, k, n) = (4, 32, 4)
    let x = Tensor(GradientCheck.numbers(t * k, seed: 1), shape: [t, k])
    let block = BlockQuantization(SharedExponentFormat.mxfp4, stochasticBitCount: 32)
    let layer = makeLayer(block, n, k)
    let tape = Tape(quantization: StepQuantization(seed: 11))
    tape.quantization.draws.step = 7
    func expected(use: Int) throws -> [Float] {
      let key = StreamKey(layer: 3, tensor: .input, product: .forward, step: 7, use: use)
      let quantized = QuantizedMatrix(
        x, format: block.format,
        policy: block.policy(drawingFrom: RandomStreams(seed: 11), for: key))
      return try matmul(
        quantized.storage.dequantized(), transposed: Tensor(layer.weight.array, shape: [n, k])
      ).elements
    }
    let bits = try (0..<3).map(expected)
    #expect(bits[0] != bits[1])
    for _ in 0..<2 {
      for use in 0..<3 {
        let y = layer(tape.constant(x.elements, shape: [t, k]), on: tape)
        #expect(y.array == bits[use])
      }
      tape.reset()
    }
  }

  @Test("Delayed scaling sees the largest magnitude of all uses")
  func delayedScaling() {
    let block = BlockQuantization(
      .fp8(.e4m3fn, block: .tensor), scaling: .delayed(DelayedScaling()))
    let layer = makeLayer(block, 1, 2)
    let tape = Tape()
    for magnitude: Float in [1, 7, 2] {
      _ = layer(tape.constant([0.5, -magnitude], shape: [1, 2]), on: tape)
    }
    layer.quantization.endStep()
    // 448 / 7 is a power of two.
    let scale = layer.quantization.delayedScale(.input, .forward)
    #expect(scale == 7.0 / 448)
  }

  @Test("A loss beside the one that is returned adds its weight's part of the gradient")
  func minimising() {
    let tape = Tape()
    let x = tape.constant([0, 0, 0, 0], shape: [1, 4])
    let aside = tape.crossEntropy(x, targets: [1])
    tape.minimise(aside, weight: 0.5)
    let loss = tape.crossEntropy(x, targets: [0])
    tape.backward(from: loss)
    // Softmax of zeros is a quarter, so all numbers are exact.
    #expect(x.gradientArray == [-0.75 + 0.125, 0.25 - 0.375, 0.375, 0.375])
    let y = tape.constant([0, 0], shape: [1, 2])
    tape.withoutRecording { tape.minimise(tape.crossEntropy(y, targets: [1]), weight: 1) }
    tape.backward(from: tape.crossEntropy(x, targets: [-1]))
    #expect(y.gradientArray == nil)
  }
}
