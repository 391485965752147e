import BlockFormats
import Foundation
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Mixtures of experts")
struct MixtureLayerTests {
  private func slot(_ width: Int, block: Int = 1, of count: Int = 3) -> LayerSlot {
    LayerSlot(
      name: "blocks.\(block)", block: BlockPosition(block, of: count), width: width, context: 16,
      residualDeviation: 0.02)
  }

  private func makeLayer(
    _ design: MixtureDesign, width: Int, recipe: Recipe = .fp32, _ numbers: [[Float]]? = nil
  ) -> MixtureLayer {
    var start = Initializer(seed: 1, recipe: recipe)
    let layer = MixtureLayer(design, slot(width), &start)
    for (parameter, numbers) in zip(layer.parameters, numbers ?? []) {
      parameter.replace(with: numbers)
    }
    return layer
  }

  /// A matrix in double precision, its rows one after the other.
  private struct Matrix {
    let numbers: [Double]
    let columns: Int

    func callAsFunction(_ x: [Double]) -> [Double] {
      stride(from: 0, to: numbers.count, by: columns).map { start in
        (0..<columns).reduce(0) { $0 + numbers[start + $1] * x[$1] }
      }
    }
  }

  /// The layer in double precision: its output, and its balance loss behind that.
  private func formula(_ d: MixtureDesign, width c: Int, _ arrays: [[Double]]) -> [Double] {
    var rest = arrays[...]
    let x = rest.removeFirst()
    func matrix(_ columns: Int) -> Matrix { Matrix(numbers: rest.removeFirst(), columns: columns) }
    func expert(_ width: Int, _ hidden: Int) -> ([Double]) -> [Double] {
      let (up, down) = (matrix(width), matrix(hidden))
      return { down(up($0).map { max($0, 0) * max($0, 0) }) }
    }
    let l = d.latentCount ?? c
    let router = matrix(c)
    let latentDown = d.latentCount.map { _ in matrix(c) }
    let experts = (0..<d.expertCount).map { _ in expert(l, d.hiddenCount) }
    let latentUp = d.latentCount.map { _ in matrix(l) }
    let shared = d.sharedHiddenCount == 0 ? nil : expert(c, d.sharedHiddenCount)

    let r = x.count / c
    var counts = [Double](repeating: 0, count: d.expertCount)
    var means = counts
    var y: [Double] = []
    for row in 0..<r {
      let x = Array(x[row * c..<(row + 1) * c])
      let exponentials = router(x).map { exp($0) }
      let total = exponentials.reduce(0, +)
      let p = exponentials.map { $0 / total }
      let chosen = p.indices.sorted { p[$0] > p[$1] }.prefix(d.chosenCount)
      let sum = chosen.reduce(0) { $0 + p[$1] }
      let rows = latentDown.map { $0(x) } ?? x
      var mixed = [Double](repeating: 0, count: l)
      for index in chosen {
        counts[index] += 1
        for (place, value) in experts[index](rows).enumerated() {
          mixed[place] += p[index] / sum * value
        }
      }
      for index in p.indices { means[index] += p[index] / Double(r) }
      let routed = latentUp.map { $0(mixed) } ?? mixed
      y += shared.map { zip(routed, $0(x)).map(+) } ?? routed
    }
    let balance = zip(counts, means).reduce(0) {
      $0 + Double(d.expertCount) * $1.0 / Double(r * d.chosenCount) * $1.1
    }
    return y + [balance]
  }

  private static let designs: [MixtureDesign] = [
    MixtureDesign(expertCount: 4, chosenCount: 2, hiddenCount: 5),
    MixtureDesign(expertCount: 5, chosenCount: 2, hiddenCount: 4, sharedHiddenCount: 3),
    MixtureDesign(
      expertCount: 6, chosenCount: 3, hiddenCount: 4, sharedHiddenCount: 5, latentCount: 3),
    // Dense: every expert takes every token.
    MixtureDesign(expertCount: 3, chosenCount: 3, hiddenCount: 4),
  ]

  @Test(
    "Output, balance loss and every gradient are those of the formula in double precision",
    arguments: designs)
  func gradients(design: MixtureDesign) throws {
    let (b, t, c) = (2, 5, 6)
    var design = design
    let shapes = makeLayer(design, width: c).parameters.map(\.count)
    let inputs = ([b * t * c] + shapes).enumerated().map {
      GradientCheck.numbers($1, seed: UInt64($0 + 20))
    }
    try GradientCheck.compare(inputs) {
      formula(design, width: c, $0)
    } actual: { inputs, weights in
      // The balance loss is the last number of the formula, and weighs what it does there.
      design.balanceCoefficient = try #require(weights.last)
      let layer = makeLayer(design, width: c, Array(inputs.dropFirst()))
      let tape = Tape(parallelism: .threads(2))
      let x = tape.constant(inputs[0], shape: [b, t, c])
      let y = layer(x, on: tape)
      #expect(y.shape == x.shape)
      #expect(layer.loads.reduce(0, +) == b * t * design.chosenCount)
      let dy = y.accumulatedGradient()
      for index in 0..<y.count { dy[index] = weights[index] }
      tape.backward(from: tape.constant([0], shape: [1]))
      return (
        y.array + [layer.balance],
        [try #require(x.gradientArray)] + layer.parameters.map(\.gradientArray)
      )
    }
  }

  @Test("An expert that no token goes to keeps a gradient of zero, and the others work")
  func idleExpert() throws {
    let (t, c) = (7, 4)
    let design = MixtureDesign(expertCount: 3, chosenCount: 1, hiddenCount: 8)
    let layer = makeLayer(design, width: c)
    // The first channel, which is 1, sends all tokens to the middle expert.
    let router = try #require(layer.parameters.first)
    router.replace(with: (0..<12).map { $0 == 4 ? 9 : 0 })
    let tape = Tape()
    let x = GradientCheck.numbers(t * c, seed: 1).enumerated().map { $0 % c == 0 ? 1 : $1 }
    tape.backward(from: layer(tape.constant(x, shape: [1, t, c]), on: tape))
    #expect(layer.loads == [0, t, 0])
    for parameter in layer.parameters.dropFirst() {
      let isIdle = parameter.gradientArray.allSatisfy { $0 == 0 }
      #expect(isIdle == !parameter.name.contains("experts.1."), "\(parameter.name)")
    }
  }

  @Test("Names, shapes and kinds of the projections, with a latent space and without")
  func layout() {
    let design = MixtureDesign(
      expertCount: 2, chosenCount: 1, hiddenCount: 24, sharedHiddenCount: 40, latentCount: 8)
    let layer = makeLayer(design, width: 16)
    let name = "blocks.1.mixture"
    #expect(
      layer.parameters.map(\.name) == [
        "\(name).router.weight", "\(name).latent.down.weight", "\(name).experts.0.up.weight",
        "\(name).experts.0.down.weight", "\(name).experts.1.up.weight",
        "\(name).experts.1.down.weight", "\(name).latent.up.weight", "\(name).shared.up.weight",
        "\(name).shared.down.weight",
      ])
    #expect(
      layer.parameters.map(\.shape) == [
        [2, 16], [8, 16], [24, 8], [8, 24], [24, 8], [8, 24], [16, 8], [40, 16], [16, 40],
      ])
    #expect(
      layer.quantizations.map(\.place.kind) == [
        .router, .latentProjection, .expertUp, .expertDown, .expertUp, .expertDown,
        .latentProjection, .expertUp, .expertDown,
      ])
    let plain = makeLayer(
      MixtureDesign(expertCount: 2, chosenCount: 1, hiddenCount: 24), width: 16)
    #expect(
      plain.parameters.map(\.shape) == [[2, 16], [24, 16], [16, 24], [24, 16], [16, 24]])
  }

  @Test(
    "Every preset takes experts of any number of tokens, threads changing no bit",
    arguments: Recipe.catalog.map(\.name))
  func presets(name: String) throws {
    let (t, c) = (75, 40)
    let design = MixtureDesign(
      expertCount: 5, chosenCount: 2, hiddenCount: 48, sharedHiddenCount: 24, latentCount: 24)
    let recipe = try Recipe.named(name)
    let x = GradientCheck.numbers(t * c, seed: 1)
    func run(_ threads: Int) throws -> [[Float]] {
      // Numbers that are no zeros in any format, also where its first scale is 1.
      let numbers = makeLayer(design, width: c).parameters.enumerated().map {
        GradientCheck.numbers($1.count, seed: UInt64($0 + 2))
      }
      let layer = makeLayer(design, width: c, recipe: recipe, numbers)
      let tape = Tape(parallelism: .threads(threads))
      var results: [[Float]] = []
      for step in 0..<2 {
        tape.quantization.draws.step = step
        let x = tape.constant(step == 0 ? x : x.reversed(), shape: [1, t, c])
        let y = layer(x, on: tape)
        tape.backward(from: y)
        results += [y.array, try #require(x.gradientArray)]
        for quantization in layer.quantizations { quantization.endStep() }
        tape.reset()
      }
      return results + layer.parameters.map(\.gradientArray)
    }
    let (one, three) = try (run(1), run(3))
    #expect(one == three)
    let areFinite = one.allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 != 0 } }
    #expect(areFinite)
  }

  @Test(
    "Rows of zeros add nothing to any product, whole blocks or not",
    arguments: Recipe.catalog.map(\.name))
  func zeros(name: String) throws {
    let (t, k, n) = (37, 40, 24)
    let recipe = try Recipe.named(name)
    let x = GradientCheck.numbers(t * k, seed: 1)
    let c = GradientCheck.numbers(t * n, seed: 2)
    let place = slot(k).place(.expertUp, "up")
    func run(rows: Int) throws -> (y: [Float], dx: [Float], dw: [Float]) {
      var start = Initializer(seed: 1, recipe: recipe)
      let layer = start.linear(place, [n, k], deviation: 1)
      let tape = Tape()
      func filled(_ numbers: [Float], _ columns: Int) -> [Float] {
        numbers + [Float](repeating: 0, count: rows * columns - numbers.count)
      }
      let x = tape.constant(filled(x, k), shape: [rows, k])
      let y = layer(x, on: tape)
      let dy = y.accumulatedGradient()
      for (index, value) in filled(c, n).enumerated() { dy[index] = value }
      tape.backward(from: tape.constant([0], shape: [1]))
      return (y.array, try #require(x.gradientArray), layer.weight.gradientArray)
    }
    let few = try run(rows: t)
    for rows in [40, 64, 128] {
      let many = try run(rows: rows)
      #expect(few.y[...] == many.y[0..<t * n])
      #expect(few.dx[...] == many.dx[0..<t * k])
      let areZero = (many.y[(t * n)...] + many.dx[(t * k)...]).allSatisfy { $0 == 0 }
      #expect(areZero)
      // A rotation mixes tokens with the zeros behind them, and random bits are numbered by place.
      let gradient = recipe.choice(for: Role(place, .outputGradient, .weightGradient))
      if case .block(let block) = gradient,
        block.transform != nil || block.stochasticBitCount != nil
      {
        let areFinite = many.dw.allSatisfy(\.isFinite)
        #expect(areFinite)
      } else {
        #expect(few.dw == many.dw)
      }
    }
  }
}
