import BlockFormats
import Foundation
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Prediction of tokens beyond the next")
struct MultiTokenPredictionTests {
  private static let (b, t, c, v, hidden) = (2, 5, 4, 7, 3)

  /// A prediction layer with what it shares with its model.
  private struct Parts {
    let prediction: MultiTokenPrediction
    let embedding: Parameter
    let lookup: LayerQuantization
    let norm: Parameter
    let head: Linear

    init(_ design: MultiTokenDesign, recipe: Recipe = .fp32) {
      var start = Initializer(seed: 3, recipe: recipe)
      embedding = start.uniform("embedding", [v, c], deviation: 1)
      lookup = start.quantization(LayerPlace(.embedding, name: "embedding"))
      norm = start.constant("norm.weight", [c], 1)
      head = start.linear(LayerPlace(.head, name: "head"), [v, c], deviation: 1)
      prediction = MultiTokenPrediction(design, width: c, &start)
    }

    var parameters: [Parameter] {
      [embedding, norm] + head.parameters + prediction.parameters
    }

    func addLosses(
      _ hidden: Activation, _ nextTokens: [Int32], _ targets: [Int32], on tape: Tape
    ) {
      prediction.addLosses(
        hidden: hidden, nextTokens: nextTokens, targets: targets, embedding: embedding,
        lookup: lookup, norm: norm, head: head, on: tape)
    }
  }

  private func rmsNorm(_ x: [Double], _ gain: [Double]) -> [Double] {
    let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + 1e-5).squareRoot()
    return zip(x, gain).map { $0 * scale * $1 }
  }

  private func multiply(_ matrix: [Double], _ x: [Double]) -> [Double] {
    stride(from: 0, to: matrix.count, by: x.count).map { start in
      x.indices.reduce(0) { $0 + matrix[start + $1] * x[$1] }
    }
  }

  /// The mean over depths of the losses in double precision, position by position.
  private func formula(
    _ arrays: [[Double]], depth: Int, nextTokens: [Int32], targets: [Int32]
  ) -> Double {
    let (b, t, c, v) = (Self.b, Self.t, Self.c, Self.v)
    let (table, norm, head) = (arrays[1], arrays[2], arrays[3])
    let (hiddenNorm, tokenNorm, merge) = (arrays[4], arrays[5], arrays[6])
    let (mlpNorm, up, down) = (arrays[7], arrays[8], arrays[9])
    var losses = [[Double]](repeating: [], count: depth)
    for sequence in 0..<b {
      for step in 0..<t {
        let first = sequence * t + step
        var h = Array(arrays[0][first * c..<(first + 1) * c])
        for n in 1...depth {
          guard step + n < t, nextTokens[first + n - 1] >= 0 else { break }
          let token = Int(nextTokens[first + n - 1])
          let row = Array(table[token * c..<(token + 1) * c])
          let merged = multiply(merge, rmsNorm(h, hiddenNorm) + rmsNorm(row, tokenNorm))
          let inner = multiply(up, rmsNorm(merged, mlpNorm)).map { max($0, 0) * max($0, 0) }
          h = zip(merged, multiply(down, inner)).map(+)
          let logits = multiply(head, rmsNorm(h, norm))
          let target = Int(targets[first + n])
          guard target >= 0 else { continue }
          losses[n - 1].append(log(logits.reduce(0) { $0 + exp($1) }) - logits[target])
        }
      }
    }
    #expect(v == head.count / c)
    return losses.reduce(0) { $0 + $1.reduce(0, +) / Double($1.count) } / Double(depth)
  }

  @Test(
    "The losses and every gradient are those of the formula in double precision",
    arguments: [1, 2, 3])
  func gradients(depth: Int) throws {
    let (b, t, c) = (Self.b, Self.t, Self.c)
    let nextTokens: [Int32] = [3, 0, 6, 2, 2, 1, 5, -1, 4, 3]
    // Not every known token counts.
    let targets: [Int32] = [3, -1, 6, 2, 2, 1, 5, -1, 4, 3]
    let parts = Parts(MultiTokenDesign(depth: depth, hiddenCount: Self.hidden))
    let inputs = ([b * t * c] + parts.parameters.map(\.count)).enumerated().map {
      GradientCheck.numbers($1, seed: UInt64($0 + 40))
    }
    try GradientCheck.compare(inputs) {
      [formula($0, depth: depth, nextTokens: nextTokens, targets: targets)]
    } actual: { inputs, weights in
      let parts = Parts(
        MultiTokenDesign(depth: depth, hiddenCount: Self.hidden, weight: weights[0]))
      for (parameter, numbers) in zip(parts.parameters, inputs.dropFirst()) {
        parameter.replace(with: numbers)
      }
      let tape = Tape(parallelism: .threads(2))
      let hidden = tape.constant(inputs[0], shape: [b, t, c])
      parts.addLosses(hidden, nextTokens, targets, on: tape)
      tape.backward(from: tape.constant([0], shape: [1]))
      let losses = parts.prediction.losses
      #expect(losses.count == depth)
      return (
        [losses.reduce(0, +) / Float(depth)],
        [try #require(hidden.gradientArray)] + parts.parameters.map(\.gradientArray)
      )
    }
  }

  @Test(
    "Only positions whose tokens are known, count and lie in the sequence have a loss",
    arguments: [
      ([3, 1, 2, 5, 4], [3, 1, 2, 5, 4], [0, 1, 2, 3]),
      ([3, -1, 2, 5, 4], [3, -1, 2, 5, 4], [2, 3]),
      ([3, 1, 2, 5, 4], [3, 1, -1, 5, 4], [0, 2, 3]),
      ([-1, 1, 2, 5, -1], [-1, 1, 2, 5, -1], [1, 2]),
    ] as [([Int32], [Int32], [Int])])
  func masks(nextTokens: [Int32], targets: [Int32], positions: [Int]) throws {
    let (t, c) = (Self.t, Self.c)
    let parts = Parts(MultiTokenDesign(hiddenCount: Self.hidden))
    let tape = Tape()
    // The other sequence has no token at all.
    let hidden = tape.constant(GradientCheck.numbers(2 * t * c, seed: 1), shape: [2, t, c])
    let none = [Int32](repeating: -1, count: t)
    parts.addLosses(hidden, nextTokens + none, targets + none, on: tape)
    tape.backward(from: tape.constant([0], shape: [1]))
    let gradient = try #require(hidden.gradientArray)
    let reached = (0..<2 * t).filter { gradient[$0 * c..<($0 + 1) * c].contains { $0 != 0 } }
    #expect(reached == positions)
  }

  @Test("A batch without a token to predict has a loss of zero and no gradient")
  func nothingToPredict() throws {
    let (t, c) = (Self.t, Self.c)
    let parts = Parts(MultiTokenDesign(depth: 2, hiddenCount: Self.hidden))
    let tape = Tape()
    let hidden = tape.constant(GradientCheck.numbers(t * c, seed: 1), shape: [1, t, c])
    let none = [Int32](repeating: -1, count: t)
    parts.addLosses(hidden, none, none, on: tape)
    tape.backward(from: tape.constant([0], shape: [1]))
    #expect(parts.prediction.losses == [0, 0])
    let areZero = parts.parameters.allSatisfy { $0.gradientArray.allSatisfy { $0 == 0 } }
    #expect(areZero)
  }

  @Test("Nothing is added where nothing is recorded")
  func validation() {
    let (t, c) = (Self.t, Self.c)
    let parts = Parts(MultiTokenDesign(hiddenCount: Self.hidden))
    let tape = Tape()
    let hidden = tape.constant(GradientCheck.numbers(t * c, seed: 1), shape: [1, t, c])
    tape.withoutRecording { parts.addLosses(hidden, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], on: tape) }
    tape.backward(from: tape.constant([0], shape: [1]))
    #expect(parts.prediction.losses.isEmpty)
    #expect(hidden.gradientArray == nil)
  }

  @Test("A layer repeated for later tokens draws random bits of its own each time")
  func repeatedLayer() {
    let (b, t, c) = (Self.b, Self.t, Self.c)
    let block = BlockQuantization(SharedExponentFormat.mxfp4, stochasticBitCount: 32)
    let recipe = Recipe(
      name: "random", source: "this test",
      rules: [RecipeRule(.block(block), layers: [.multiTokenPrediction])])
    let parts = Parts(MultiTokenDesign(depth: 2, hiddenCount: Self.hidden), recipe: recipe)
    let tape = Tape()
    let hidden = tape.constant(GradientCheck.numbers(b * t * c, seed: 1), shape: [b, t, c])
    let tokens = (0..<Int32(b * t)).map { $0 % 7 }
    parts.addLosses(hidden, tokens, tokens, on: tape)
    // Both depths have gone through the layer; a third use has number 2.
    let quantization = parts.prediction.quantizations[0]
    #expect(tape.quantization.draws.key(.input, .forward, layer: quantization.number).use == 2)
    #expect(tape.quantization.draws.key(.weight, .forward, layer: quantization.number).use == 2)
  }

  @Test("Every projection is of the kind of prediction layers, outside the blocks")
  func layout() {
    let prediction = Parts(MultiTokenDesign(hiddenCount: 3)).prediction
    #expect(
      prediction.parameters.map(\.name) == [
        "prediction.hidden.norm.weight", "prediction.token.norm.weight",
        "prediction.merge.weight", "prediction.mlp.norm.weight", "prediction.mlp.up.weight",
        "prediction.mlp.down.weight",
      ])
    for quantization in prediction.quantizations {
      #expect(quantization.place.kind == .multiTokenPrediction)
      #expect(quantization.place.block == nil)
    }
  }
}
