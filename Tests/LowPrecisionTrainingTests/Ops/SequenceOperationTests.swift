import BlockFormats
import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Operations around scans against their formulas and central differences")
struct SequenceOperationTests {
  @Test("Parts of columns hand their gradients back to where they come from")
  func split() {
    let tape = Tape(parallelism: .threads(2))
    let x = tape.constant((0..<12).map(Float.init), shape: [2, 1, 6])
    let parts = tape.split(x, columns: [1, 3, 2])
    #expect(parts.map(\.shape) == [[2, 1, 1], [2, 1, 3], [2, 1, 2]])
    #expect(parts.map(\.array) == [[0, 6], [1, 2, 3, 7, 8, 9], [4, 5, 10, 11]])
    let dz = tape.sum(x, x).accumulatedGradient()
    for index in 0..<12 { dz[index] = 0.5 }
    for (index, part) in parts.enumerated() where index != 1 {
      let gradient = part.accumulatedGradient()
      for place in 0..<part.count { gradient[place] = Float(10 * index + place + 1) }
    }
    tape.backward(from: tape.constant([0], shape: [1]))
    #expect(x.gradientArray == [2, 1, 1, 1, 22, 23, 3, 1, 1, 1, 24, 25])
  }

  @Test("A causal convolution sees three steps back, inside its sequence", arguments: [1, 2, 4])
  func convolution(threads: Int) throws {
    let (b, t, c) = (3, 6, 5)
    let inputs = [
      GradientCheck.numbers(b * t * c, seed: 1), GradientCheck.numbers(4 * c, seed: 2),
      GradientCheck.numbers(c, seed: 3),
    ]
    try GradientCheck.compare(inputs) { arrays in
      let (x, w, bias) = (arrays[0], arrays[1], arrays[2])
      return x.indices.map { place in
        let (step, channel) = (place / c % t, place % c)
        return (0..<4).reduce(bias[channel]) { sum, k in
          let back = 3 - k
          return back > step ? sum : sum + w[k * c + channel] * x[place - back * c]
        }
      }
    } actual: {
      try GradientCheck.run(
        $0, shape: [b, t, c], parameters: [[4, c], [c]], c: $1, threads: threads
      ) {
        $0.causalConvolution($1, weight: $2[0], bias: $2[1])
      }
    }
  }

  @Test("A convolution without a bias adds none")
  func convolutionWithoutBias() throws {
    let inputs = [GradientCheck.numbers(8, seed: 1), GradientCheck.numbers(4, seed: 2)]
    try GradientCheck.compare(inputs) { arrays in
      (0..<8).map { step -> Double in
        var sum = 0.0
        for k in max(0, 3 - step)..<4 { sum += arrays[1][k] * arrays[0][step - 3 + k] }
        return sum
      }
    } actual: {
      try GradientCheck.run($0, shape: [1, 8, 1], parameters: [[4, 1]], c: $1) {
        $0.causalConvolution($1, weight: $2[0])
      }
    }
  }

  @Test("Softplus adds a bias to every row first")
  func softplus() throws {
    let (r, c) = (130, 3)
    let inputs = [
      GradientCheck.numbers(r * c, seed: 1).map { $0 * 8 }, GradientCheck.numbers(c, seed: 2),
    ]
    try GradientCheck.compare(inputs) { arrays in
      (0..<r * c).map { log(1 + exp(arrays[0][$0] + arrays[1][$0 % c])) }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], parameters: [[c]], c: $1) {
        $0.softplus($1, bias: $2[0])
      }
    }
    try GradientCheck.compare([inputs[0]]) { arrays in
      arrays[0].map { log(1 + exp($0)) }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], c: $1) { tape, x, _ in tape.softplus(x) }
    }
  }

  @Test("A gate gives both of its sides their gradients, and one that is both sides the sum")
  func gate() throws {
    let (r, c) = (7, 5)
    try GradientCheck.compare([GradientCheck.numbers(r * 2 * c, seed: 1)]) { arrays in
      (0..<r * c).map { index in
        let row = index / c * 2 * c
        let (y, z) = (arrays[0][row + index % c], arrays[0][row + c + index % c])
        return y * z / (1 + exp(-z))
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, 2 * c], c: $1) { tape, x, _ in
        let parts = tape.split(x, columns: [c, c])
        return tape.gated(parts[0], by: parts[1])
      }
    }
    try GradientCheck.compare([GradientCheck.numbers(r * c, seed: 2)]) { arrays in
      arrays[0].map { $0 * $0 / (1 + exp(-$0)) }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], c: $1) { tape, x, _ in tape.gated(x, by: x) }
    }
  }
}
