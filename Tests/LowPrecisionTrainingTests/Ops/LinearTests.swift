import BlockFormats
import FormatTestSupport
import QuantizedLinearAlgebra
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Linear layers")
struct LinearTests {
  private static let (t, k, n) = (6, 8, 5)

  /// Quarters, so that products and their sums are exact in FP32.
  private func quarters(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(Int.random(in: -8...8, using: &generator)) / 4 }
  }

  private func makeLayer(
    _ weight: Parameter, bias: Parameter? = nil, recipe: Recipe = .fp32
  ) -> Linear {
    Linear(
      weight: weight, bias: bias,
      quantization: LayerQuantization(LayerPlace(.mlpUp), number: 3, uncheckedRecipe: recipe))
  }

  @Test(
    "Forward and backward are the three products, exact where numbers are small", arguments: [1, 3])
  func products(threads: Int) throws {
    let (t, k, n) = (Self.t, Self.k, Self.n)
    let x = quarters(t * k, seed: 1)
    let w = quarters(n * k, seed: 2)
    let b = quarters(n, seed: 3)
    let layer = makeLayer(
      Parameter("weight", shape: [n, k], values: w, isDecayed: true),
      bias: Parameter("bias", shape: [n], values: b, isDecayed: false))
    let tape = Tape(parallelism: .threads(threads))
    // Twice over the same memory.
    for _ in 0..<2 {
      for parameter in layer.parameters { parameter.clearGradient() }
      let input = tape.constant(x, shape: [2, t / 2, k])
      let y = layer(input, on: tape)
      #expect(y.shape == [2, t / 2, n])
      for row in 0..<t {
        for column in 0..<n {
          let expected = (0..<k).reduce(b[column]) { $0 + x[row * k + $1] * w[column * k + $1] }
          #expect(y.array[row * n + column] == expected)
        }
      }
      // With dY all ones, dX is the sum of the rows of W, dW that of X, db the tokens.
      tape.backward(from: y)
      let dx = try #require(input.gradientArray)
      for row in 0..<t {
        for column in 0..<k {
          #expect(dx[row * k + column] == (0..<n).reduce(0) { $0 + w[$1 * k + column] })
        }
      }
      for row in 0..<n {
        for column in 0..<k {
          let expected = (0..<t).reduce(0) { $0 + x[$1 * k + column] }
          #expect(layer.weight.gradientArray[row * k + column] == expected)
        }
      }
      #expect(layer.bias?.gradientArray == [Float](repeating: Float(t), count: n))
      tape.reset()
    }
  }

  @Test("An activation that two layers read gets both gradients")
  func sharedInput() throws {
    let (t, k, n) = (Self.t, Self.k, Self.n)
    let layers = (0..<2).map { index in
      makeLayer(
        Parameter(
          "weight\(index)", shape: [n, k], values: quarters(n * k, seed: UInt64(index)),
          isDecayed: true))
    }
    func gradient(_ used: [Linear]) throws -> [Float] {
      let tape = Tape(parallelism: .threads(1))
      let x = tape.constant(quarters(t * k, seed: 7), shape: [t, k])
      let results = used.map { $0(x, on: tape) }
      // Every result but the last is given its gradient by hand.
      for result in results.dropLast() {
        result.accumulatedGradient().update(repeating: 1, count: result.count)
      }
      tape.backward(from: try #require(results.last))
      return try #require(x.gradientArray)
    }
    let (both, first, second) = try (
      gradient(layers), gradient([layers[0]]), gradient([layers[1]])
    )
    #expect(both == zip(first, second).map { $0 + $1 })
  }

  @Test("Each product quantizes both operands along the axis that it contracts")
  func quantized() throws {
    let (t, k, n) = (64, 32, 96)
    let x = Tensor(quarters(t * k, seed: 1).map { $0 * 1.37 }, shape: [t, k])
    let w = Tensor(quarters(n * k, seed: 2).map { $0 * 0.71 }, shape: [n, k])
    let mxfp8 = BlockQuantization(SharedExponentFormat.mxfp8E4M3)
    let mxfp4 = BlockQuantization(SharedExponentFormat.mxfp4)
    let recipe = Recipe(
      name: "mixed", source: "this test",
      rules: [
        RecipeRule(.block(mxfp4)),
        RecipeRule(.block(mxfp8), tensors: [.input], products: [.forward]),
        RecipeRule(.block(mxfp8), tensors: [.weight], products: [.inputGradient]),
      ])
    let layer = makeLayer(
      Parameter("weight", shape: [n, k], values: w.elements, isDecayed: true), recipe: recipe)
    let tape = Tape()
    let input = tape.constant(x.elements, shape: [t, k])
    let y = layer(input, on: tape)
    let c = Tensor(quarters(t * n, seed: 3).map { $0 * 1.1 }, shape: [t, n])
    // The gradient of the sum of c · y is c.
    let dy = y.accumulatedGradient()
    for index in 0..<t * n { dy[index] = c.elements[index] - 1 }
    tape.backward(from: tape.constant([0], shape: [1]))

    func q(_ values: Tensor, _ block: BlockQuantization) -> QuantizedMatrix {
      QuantizedMatrix(values, format: block.format)
    }
    func turned(_ values: Tensor) -> Tensor {
      let (rows, columns) = (values.shape[0], values.shape[1])
      return Tensor(
        (0..<rows * columns).map { values.elements[$0 % rows * columns + $0 / rows] },
        shape: [columns, rows])
    }
    let gradient = Tensor(c.elements.map { $0 - 1 }, shape: [t, n])
    #expect(y.array == (try matmul(q(x, mxfp8), transposed: q(w, mxfp4))).elements)
    #expect(
      input.gradientArray
        == (try matmul(q(gradient, mxfp4), transposed: q(turned(w), mxfp8))).elements)
    #expect(
      layer.weight.gradientArray
        == (try matmul(q(turned(gradient), mxfp4), transposed: q(turned(x), mxfp4))).elements)
  }

  @Test(
    "A rotation of both operands leaves small integers' products unchanged, a premultiplier too")
  func transforms() throws {
    // Rotated quarters of four values stay exact in FP32, which bf16 elements of 24 bits would not.
    let (t, k, n) = (8, 16, 8)
    func result(_ block: BlockQuantization) throws -> ([Float], [Float], [Float]) {
      let layer = makeLayer(
        Parameter("weight", shape: [n, k], values: quarters(n * k, seed: 2), isDecayed: true),
        recipe: Recipe(name: "one", source: "this test", rules: [RecipeRule(.block(block))]))
      let tape = Tape()
      let x = tape.constant(quarters(t * k, seed: 1), shape: [t, k])
      let y = layer(x, on: tape)
      tape.backward(from: y)
      return (y.array, try #require(x.gradientArray), layer.weight.gradientArray)
    }
    let fp32 = CastFormat.cast(to: .fp32)
    let plain = try result(BlockQuantization(fp32))
    let rotated = try result(
      BlockQuantization(fp32, transform: OperandTransform(length: 16, signs: .perStep)))
    // 1/√8 of the outputs' and tokens' rotations is rounded: 2^-24 a step, of sums below 2^9.
    for (a, b) in [
      (plain.0, rotated.0), (plain.1, rotated.1), (plain.2, rotated.2),
    ] {
      let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 0x1p-12)
      #expect(a != [Float](repeating: 0, count: a.count))
    }
    let moved = try result(BlockQuantization(fp32, premultiplier: 0.5))
    #expect(moved.0 == plain.0 && moved.1 == plain.1 && moved.2 == plain.2)
  }

  @Test("Random bits of a layer are those of its number, tensor, product and step")
  func stochastic() throws {
    let (t, k, n) = (4, 32, 4)
    let x = Tensor(quarters(t * k, seed: 1).map { $0 * 1.37 }, shape: [t, k])
    let block = BlockQuantization(SharedExponentFormat.mxfp4, stochasticBitCount: 32)
    let layer = makeLayer(
      Parameter("weight", shape: [n, k], values: quarters(n * k, seed: 2), isDecayed: true),
      recipe: Recipe(
        name: "random", source: "this test",
        rules: [RecipeRule(.block(block), tensors: [.input], products: [.forward])]))
    let tape = Tape(quantization: StepQuantization(seed: 11))
    tape.quantization.draws.step = 7
    let y = layer(tape.constant(x.elements, shape: [t, k]), on: tape)
    let key = StreamKey(layer: 3, tensor: .input, product: .forward, step: 7)
    let quantized = QuantizedMatrix(
      x, format: block.format, policy: block.policy(drawingFrom: RandomStreams(seed: 11), for: key))
    let weight = Tensor(layer.weight.array, shape: [n, k])
    let expected = try matmul(quantized.storage.dequantized(), transposed: weight)
    #expect(y.array == expected.elements)
    tape.quantization.draws.step = 8
    #expect(layer(tape.constant(x.elements, shape: [t, k]), on: tape).array != y.array)
  }
}
