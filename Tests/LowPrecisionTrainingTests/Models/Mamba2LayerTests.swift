import BlockFormats
import FormatTestSupport
import Foundation
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Layers of Mamba-2")
struct Mamba2LayerTests {
  private let sequences = 2
  private let steps = 6
  private let width = 5
  private let design = Mamba2Design(innerCount: 8, headSize: 2, stateCount: 3, groupCount: 2)

  private func layer(recipe: Recipe = .fp32) -> Mamba2Layer {
    var start = Initializer(seed: 3, recipe: recipe)
    let slot = LayerSlot(
      name: "blocks.0", block: BlockPosition(0, of: 1), width: width, context: steps,
      residualDeviation: LayerSlot.deviation)
    return Mamba2Layer(design, slot, &start)
  }

  /// The block as the reference code has it, from the stream and the parameters in order.
  private func formula(_ arrays: [[Double]]) -> [Double] {
    let (inner, maps, h) = (8, 6, 4)
    let (mixed, rows) = (inner + 2 * maps, sequences * steps)
    let (taps, tapBias, stepBias, gains) = (arrays[2], arrays[3], arrays[4], arrays[7])
    func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }
    func product(_ x: [Double], _ weight: [Double], _ inputs: Int) -> [Double] {
      (0..<rows * (weight.count / inputs)).map { place in
        let (row, output) = (place / (weight.count / inputs), place % (weight.count / inputs))
        return (0..<inputs).reduce(0) { $0 + x[row * inputs + $1] * weight[output * inputs + $1] }
      }
    }
    let projected = product(arrays[0], arrays[1], width)
    let line = inner + mixed + h
    let z = (0..<rows * inner).map { projected[$0 / inner * line + $0 % inner] }
    let convolved = (0..<rows * mixed).map { place -> Double in
      let (row, channel) = (place / mixed, place % mixed)
      return silu(
        (0..<4).reduce(tapBias[channel]) { sum, k in
          let source = row - 3 + k
          return row % steps - 3 + k < 0
            ? sum : sum + taps[k * mixed + channel] * projected[source * line + inner + channel]
        })
    }
    func part(_ first: Int, _ count: Int) -> [Double] {
      (0..<rows * count).map { convolved[$0 / count * mixed + first + $0 % count] }
    }
    let dt = (0..<rows * h).map {
      log(1 + exp(projected[$0 / h * line + inner + mixed + $0 % h] + stepBias[$0 % h]))
    }
    let heads = StateSpaceHeads(count: 4, size: 2, groupCount: 2, stateCount: 3)
    let y = StateSpaceRecurrence(heads: heads, sequences: sequences, steps: steps).result(
      x: part(0, inner), dt: dt, a: arrays[5], b: part(inner, maps),
      c: part(inner + maps, maps), d: arrays[6])
    let gated = zip(y, z).map { $0 * silu($1) }
    let normed = gated.indices.map { place -> Double in
      let group = gated[place / 4 * 4..<place / 4 * 4 + 4]
      let mean = group.reduce(0) { $0 + $1 * $1 } / 4
      return gated[place] / (mean + 1e-5).squareRoot() * gains[place % inner]
    }
    return product(normed, arrays[8], inner)
  }

  @Test("A layer is the reference's block, and hands gradients to every parameter")
  func block() throws {
    // Wide weights, so that no gate comes so near to zero that a norm bends within a step.
    let counts = layer().parameters.map(\.count)
    var inputs = [GradientCheck.numbers(sequences * steps * width, seed: 1)]
    for (index, count) in counts.enumerated() {
      inputs.append(GradientCheck.numbers(count, seed: UInt64(index + 2)))
    }
    try GradientCheck.compare(inputs) {
      formula($0)
    } actual: { arrays, c in
      let layer = layer()
      for (parameter, values) in zip(layer.parameters, arrays.dropFirst()) {
        parameter.replace(with: values)
      }
      let tape = Tape(parallelism: .threads(2))
      let x = tape.constant(arrays[0], shape: [sequences, steps, width])
      let y = layer(x, on: tape)
      let target = y.accumulatedGradient()
      for (index, value) in c.enumerated() { target[index] = value }
      tape.backward(from: tape.constant([0], shape: [1]))
      return (y.array, [try #require(x.gradientArray)] + layer.parameters.map(\.gradientArray))
    }
  }

  @Test("Initial values are in the ranges of the reference, and gains and decays do not decay")
  func initialValues() {
    var start = Initializer(seed: 3, recipe: .fp32)
    let slot = LayerSlot(
      name: "blocks.0", block: BlockPosition(0, of: 1), width: 64, context: 8,
      residualDeviation: LayerSlot.deviation)
    let layer = Mamba2Layer(Mamba2Design(headSize: 1), slot, &start)
    let parameters = Dictionary(uniqueKeysWithValues: layer.parameters.map { ($0.name, $0) })
    func numbers(_ part: String) -> [Double] {
      doubles(parameters["blocks.0.mamba2.\(part)"]?.array ?? [])
    }
    #expect(numbers("in.weight").count == 64 * (128 + 128 + 2 * 64 + 128))
    // A few roundings beyond the open intervals.
    let decays = numbers("a_log").map { exp($0) }
    #expect(decays.count == 128 && decays.allSatisfy { $0 > 0.99999 && $0 < 16.0001 })
    #expect((decays.min() ?? 0) < 2 && (decays.max() ?? 0) > 15)
    let sizes = numbers("dt.bias").map { log(1 + exp($0)) }
    #expect(sizes.count == 128 && sizes.allSatisfy { $0 > 0.000999 && $0 < 0.1001 })
    #expect((sizes.min() ?? 0) < 0.0013 && (sizes.max() ?? 0) > 0.08)
    #expect(
      numbers("d").allSatisfy { $0 == 1 } && numbers("gated_norm.weight").allSatisfy { $0 == 1 })
    let decayed = layer.parameters.filter(\.isDecayed).map(\.name)
    #expect(
      decayed == ["in", "conv", "out"].map { "blocks.0.mamba2.\($0).weight" })
    #expect(layer.quantizations.map(\.place.kind) == [.mambaIn, .mambaScan, .mambaOut])
    #expect(layer.quantizations.map(\.number) == [0, 1, 2])
  }

  @Test(
    "Every recipe runs through a model of ragged extents, alike for any threads",
    arguments: Recipe.catalog.map(\.name))
  func recipes(name: String) throws {
    let recipe = try Recipe.named(name)
    let configuration = ModelConfiguration(
      vocabularyCount: 32, width: 48, context: 32,
      blocks: Array(repeating: [.mamba2(Mamba2Design(stateCount: 20))], count: 3))
    func gradients(threads: Int) throws -> [[Float]] {
      let model = try StackedModel(configuration, recipe: recipe, seed: 1)
      let tape = Tape(parallelism: .threads(threads))
      let tokens = (0..<64).map { Int32($0 * 7 % 32) }
      let logits = model.logits(of: tokens, sequenceCount: 2, on: tape)
      tape.backward(from: tape.crossEntropy(logits, targets: tokens))
      return model.parameters.map(\.gradientArray) + [logits.array]
    }
    let one = try gradients(threads: 1)
    for numbers in one {
      let isUseful = numbers.allSatisfy(\.isFinite) && numbers.contains { $0 != 0 }
      #expect(isUseful)
    }
    #expect(try gradients(threads: 3) == one)
  }
}
