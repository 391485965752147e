import BlockFormats
import QuantizedLinearAlgebra
import TrainingRecipes

@testable import LowPrecisionTraining

/// One linear layer with its three products, and the operands that recipes make for them.
struct LinearProducts {
  let x: [Float]
  let weight: [Float]
  let dy: [Float]
  /// Tokens, inputs, outputs.
  let extents: (t: Int, k: Int, n: Int)
  let tape: Tape
  let layer: Linear

  init(
    x: [Float], weight: [Float], dy: [Float], extents: (t: Int, k: Int, n: Int), recipe: Recipe,
    place: LayerPlace, threads: Int = 2
  ) {
    (self.x, self.weight, self.dy, self.extents) = (x, weight, dy, extents)
    tape = Tape(parallelism: .threads(threads), quantization: StepQuantization(seed: 21))
    layer = Linear(
      weight: Parameter(
        "weight", shape: [extents.n, extents.k], values: weight, isDecayed: true),
      quantization: LayerQuantization(place, number: 3, uncheckedRecipe: recipe))
  }

  /// Y, dX and dW.
  func results(_ arithmetic: ProductArithmetic) -> [[Float]] {
    tape.quantization.arithmetic = arithmetic
    tape.reset()
    layer.weight.clearGradient()
    let input = tape.constant(x, shape: [extents.t, extents.k])
    let y = layer(input, on: tape)
    let gradient = y.accumulatedGradient()
    for (index, value) in dy.enumerated() { gradient[index] = value }
    tape.backward(from: tape.constant([0], shape: [1]))
    return [y.array, input.gradientArray ?? [], layer.weight.gradientArray]
  }

  /// A product as the numbers that it multiplies.
  struct Definition {
    let role: ProductRole
    let left: (tensor: TensorRole, numbers: [Float])
    let right: (tensor: TensorRole, numbers: [Float])
    let rows: Int
    let columns: Int
    let depth: Int
  }

  /// The products in the order of `results`; operands have rows along the contraction axis.
  var definitions: [Definition] {
    let (t, k, n) = extents
    return [
      Definition(
        role: .forward, left: (.input, x), right: (.weight, weight), rows: t, columns: n, depth: k),
      Definition(
        role: .inputGradient, left: (.outputGradient, dy),
        right: (.weight, turned(weight, rows: n, columns: k)), rows: t, columns: k, depth: n),
      Definition(
        role: .weightGradient, left: (.outputGradient, turned(dy, rows: t, columns: n)),
        right: (.input, turned(x, rows: t, columns: k)), rows: n, columns: k, depth: t),
    ]
  }

  /// What an operand becomes, after rotations and the like (`isDecoded` false) or after its codes.
  func operand(
    _ tensor: TensorRole, _ numbers: [Float], in role: ProductRole, depth: Int, isDecoded: Bool
  ) -> (numbers: [Float], correction: Float) {
    // Random bits are those of the first use in a step.
    tape.reset()
    var numbers = numbers
    let count = numbers.count / depth
    return numbers.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return ([], 1) }
      var made = Operand(
        MatrixRows(base, rowCount: count, columnCount: depth), tensor, role, layer.quantization,
        on: tape)
      if isDecoded { made = made.decoded(on: tape) }
      let result = UnsafeRawBufferPointer(start: made.rows.base, count: 4 * count * depth)
      return (Array(result.bindMemory(to: Float.self)), made.correction)
    }
  }

  private func turned(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }
  }
}
