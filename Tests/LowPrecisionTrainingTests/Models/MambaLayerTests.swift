import BlockFormats
import Foundation
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

@Suite("Mamba layers")
struct MambaLayerTests {
  private let design = MambaDesign(innerCount: 6, stateCount: 2, rank: 3)

  private func layer(
    _ design: MambaDesign, width: Int = 4, recipe: Recipe = .fp32
  ) -> MambaLayer {
    var start = Initializer(seed: 7, recipe: recipe)
    let slot = LayerSlot(
      name: "blocks.0", block: BlockPosition(0, of: 1), width: width, context: 128,
      residualDeviation: 0.01)
    return MambaLayer(design, slot, &start)
  }

  /// The layer in double precision: the input and then the parameters in their order.
  private func formula(_ arrays: [[Double]], steps: Int) -> [Double] {
    let (c, d, n, r) = (4, 6, 2, 3)
    func product(_ x: [Double], _ weight: [Double]) -> [Double] {
      (0..<weight.count / x.count).map { row in
        x.indices.reduce(0) { $0 + x[$1] * weight[row * x.count + $1] }
      }
    }
    func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }
    let rows = (0..<steps).map { product(Array(arrays[0][$0 * c..<($0 + 1) * c]), arrays[1]) }
    var states = [Double](repeating: 0, count: d * n)
    return (0..<steps).flatMap { t -> [Double] in
      let u = (0..<d).map { channel -> Double in
        var sum = arrays[3][channel]
        for k in max(0, 3 - t)..<4 { sum += arrays[2][k * d + channel] * rows[t - 3 + k][channel] }
        return silu(sum)
      }
      let maps = product(u, arrays[4])
      let sizes = product(Array(maps[..<r]), arrays[5])
      let y = (0..<d).map { channel -> Double in
        let dt = log(1 + exp(sizes[channel] + arrays[6][channel]))
        var sum = arrays[8][channel] * u[channel]
        for state in 0..<n {
          let place = channel * n + state
          let decay = exp(-exp(arrays[7][place]) * dt)
          states[place] = decay * states[place] + dt * maps[r + state] * u[channel]
          sum += maps[r + n + state] * states[place]
        }
        return sum * silu(rows[t][d + channel])
      }
      return product(y, arrays[9])
    }
  }

  @Test("Result and every gradient are those of the formula")
  func gradients() throws {
    let steps = 6
    let layer = layer(design)
    // Ten operations in a row instead of eight, but sums of at most 12 terms instead of 64.
    let inputs = ([steps * 4] + layer.parameters.map(\.count)).enumerated().map {
      GradientCheck.numbers($1, seed: UInt64($0))
    }
    try GradientCheck.compare(inputs) {
      formula($0, steps: steps)
    } actual: { inputs, c in
      let tape = Tape(parallelism: .threads(2))
      let x = tape.constant(inputs[0], shape: [1, steps, 4])
      for (parameter, values) in zip(layer.parameters, inputs.dropFirst()) {
        parameter.replace(with: values)
      }
      let y = layer(x, on: tape)
      let target = y.accumulatedGradient()
      for (index, value) in c.enumerated() { target[index] = value }
      tape.backward(from: tape.constant([0], shape: [1]))
      return (
        y.array, [try #require(x.gradientArray)] + layer.parameters.map(\.gradientArray)
      )
    }
  }

  @Test("Names, shapes and weight decay of parameters")
  func parameters() {
    let parameters = layer(MambaDesign(), width: 20).parameters
    let expected: [(String, [Int], Bool)] = [
      ("in.weight", [80, 20], true), ("conv.weight", [4, 40], true), ("conv.bias", [40], false),
      ("x.weight", [34, 40], true), ("dt.weight", [40, 2], true), ("dt.bias", [40], false),
      ("a_log", [40, 16], false), ("d", [40], false), ("out.weight", [20, 40], true),
    ]
    #expect(parameters.map(\.name) == expected.map { "blocks.0.mamba.\($0.0)" })
    #expect(parameters.map(\.shape) == expected.map(\.1))
    #expect(parameters.map(\.isDecayed) == expected.map(\.2))
  }

  @Test("Linear layers and the scan are numbered in order of use")
  func quantizations() {
    let quantizations = layer(design).quantizations
    #expect(
      quantizations.map(\.place.kind) == [.mambaIn, .mambaX, .mambaDt, .mambaScan, .mambaOut])
    #expect(quantizations.map(\.number) == [0, 1, 2, 3, 4])
    #expect(
      quantizations.map(\.place.name)
        == ["in", "x", "dt", "scan", "out"].map { "blocks.0.mamba.\($0)" })
  }

  @Test("Step sizes start between 0.001 and 0.1, rates at the numbers of their states")
  func initialValues() {
    let parameters = layer(MambaDesign(innerCount: 500), width: 20).parameters
    let sizes = parameters[5].array.map { log(1 + exp(Double($0))) }
    // The bias is within a few roundings of numbers below 8, softplus' slope at most 1.
    let slack = 4 * 8 * halfUlp
    #expect(sizes.allSatisfy { $0 >= 0.001 - slack && $0 <= 0.1 + slack })
    // Half of 500 sizes are expected on each side of the middle, 11 being a standard deviation.
    let smaller = sizes.count { $0 < 0.01 }
    #expect(abs(smaller - 250) < 6 * 11)
    for (place, value) in parameters[6].array.enumerated() {
      let exact = log(Double(place % 16 + 1))
      #expect(abs(Double(value) - exact) <= ulp(exact))
    }
    #expect(parameters[7].array.allSatisfy { $0 == 1 })
  }

  @Test("Biases of step sizes invert softplus", arguments: [-1, -0.5, 0, 0.25, 1] as [Float])
  func biases(place: Float) {
    let bias = StepSizes.biases(at: [place])[0]
    let size = pow(10, -2 + Double(place))
    let exact = size + log(-expm1(-size))
    // exp's argument below 8, its result and a handful of products are rounded; what is relative in
    // Δ is absolute in its logarithm, and the sum's last roundings are those of numbers below 8.
    #expect(abs(Double(bias) - exact) <= (8 + 3 + 12 + 8 + 8) * halfUlp)
  }

  @Test("No step sees later ones, nor other sequences")
  func causality() {
    func result(_ last: Float) -> [Float] {
      let tape = Tape(parallelism: .threads(2))
      var numbers = GradientCheck.numbers(2 * 70 * 4, seed: 3)
      numbers[69 * 4] = last
      return layer(design)(tape.constant(numbers, shape: [2, 70, 4]), on: tape).array
    }
    let (a, b) = (result(1), result(-1))
    #expect(a[..<(69 * 4)] == b[..<(69 * 4)])
    #expect(a[(69 * 4)..<(70 * 4)] != b[(69 * 4)..<(70 * 4)])
    #expect(a[(70 * 4)...] == b[(70 * 4)...])
  }

  @Test("A layer of narrow operands learns")
  func training() throws {
    let recipe = Recipe(
      name: "narrow", source: "", rules: [RecipeRule(.block(BlockQuantization(.mxfp8E4M3)))])
    let layer = layer(MambaDesign(), width: 32, recipe: recipe)
    var losses: [Double] = []
    let input = GradientCheck.numbers(2 * 40 * 32, seed: 5)
    for _ in 0..<25 {
      let tape = Tape(parallelism: .threads(2))
      let y = layer(tape.constant(input, shape: [2, 40, 32]), on: tape)
      // Towards the input itself: the loss is half the sum of (y - x)².
      let gradient = y.accumulatedGradient()
      let values = y.array
      for index in values.indices { gradient[index] = values[index] - input[index] }
      losses.append(zip(values, input).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) })
      for parameter in layer.parameters { parameter.clearGradient() }
      tape.backward(from: tape.constant([0], shape: [1]))
      for parameter in layer.parameters {
        let steps = parameter.gradientArray.map { 0.01 * $0 }
        parameter.replace(with: zip(parameter.array, steps).map { $0 - $1 })
      }
    }
    #expect(losses[24] < 0.8 * losses[0], "\(losses)")
  }
}
