import BlockFormats
import FormatTestSupport
import QuantizedLinearAlgebra
import Testing

@testable import LowPrecisionTraining

@Suite("Linear layers")
struct LinearTests {
  private static let (t, k, n) = (6, 8, 5)

  /// Quarters, so that products and their sums are exact in FP32.
  private func quarters(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(Int.random(in: -8...8, using: &generator)) / 4 }
  }

  @Test(
    "Forward and backward are the three products, exact where numbers are small", arguments: [1, 3])
  func products(threads: Int) throws {
    let (t, k, n) = (Self.t, Self.k, Self.n)
    let x = quarters(t * k, seed: 1)
    let w = quarters(n * k, seed: 2)
    let b = quarters(n, seed: 3)
    let layer = Linear(
      weight: Parameter("weight", shape: [n, k], values: w, isDecayed: true),
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
      Linear(
        weight: Parameter(
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
    let mxfp8 = OperandQuantization(.quantized(SharedExponentFormat.mxfp8E4M3))
    let mxfp4 = OperandQuantization(.quantized(SharedExponentFormat.mxfp4))
    var quantization = LinearQuantization()
    quantization.forward = ProductQuantization(left: mxfp8, right: mxfp4)
    quantization.inputGradient = ProductQuantization(left: mxfp4, right: mxfp8)
    quantization.weightGradient = ProductQuantization(left: mxfp4, right: mxfp4)
    let layer = Linear(
      weight: Parameter("weight", shape: [n, k], values: w.elements, isDecayed: true),
      quantization: quantization)
    let tape = Tape()
    let input = tape.constant(x.elements, shape: [t, k])
    let y = layer(input, on: tape)
    let c = Tensor(quarters(t * n, seed: 3).map { $0 * 1.1 }, shape: [t, n])
    // The gradient of the sum of c · y is c.
    let dy = y.accumulatedGradient()
    for index in 0..<t * n { dy[index] = c.elements[index] - 1 }
    tape.backward(from: tape.constant([0], shape: [1]))

    func q(_ values: Tensor, _ operand: OperandQuantization) -> QuantizedMatrix {
      guard case .quantized(let format) = operand.format else { fatalError("not quantized") }
      return QuantizedMatrix(values, format: format)
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
}
