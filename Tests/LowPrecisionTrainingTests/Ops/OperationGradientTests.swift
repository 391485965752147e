import BlockFormats
import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Operations against their formulas and central differences in double precision")
struct OperationGradientTests {
  @Test("RMSNorm", arguments: [1, 2])
  func rmsNorm(threads: Int) throws {
    let (r, c) = (66, 3)
    let inputs = [GradientCheck.numbers(r * c, seed: 1), GradientCheck.numbers(c, seed: 2)]
    try GradientCheck.compare(inputs) { arrays in
      (0..<r).flatMap { row -> [Double] in
        let x = Array(arrays[0][row * c..<(row + 1) * c])
        let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(c) + 1e-5).squareRoot()
        return (0..<c).map { x[$0] * scale * arrays[1][$0] }
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], parameters: [[c]], c: $1, threads: threads) {
        $0.rmsNorm($1, weight: $2[0])
      }
    }
  }

  @Test("LayerNorm")
  func layerNorm() throws {
    let (r, c) = (66, 4)
    let inputs = [
      GradientCheck.numbers(r * c, seed: 1), GradientCheck.numbers(c, seed: 2),
      GradientCheck.numbers(c, seed: 3),
    ]
    try GradientCheck.compare(inputs) { arrays in
      (0..<r).flatMap { row -> [Double] in
        let x = Array(arrays[0][row * c..<(row + 1) * c])
        let mean = x.reduce(0, +) / Double(c)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(c)
        return (0..<c).map {
          (x[$0] - mean) / (variance + 1e-5).squareRoot() * arrays[1][$0] + arrays[2][$0]
        }
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], parameters: [[c], [c]], c: $1) {
        $0.layerNorm($1, weight: $2[0], bias: $2[1])
      }
    }
  }

  @Test("Functions of single numbers", arguments: Nonlinearity.allCases)
  func nonlinearity(function: Nonlinearity) throws {
    // Away from the corner of the ReLU's second derivative nothing is rough.
    let x = GradientCheck.numbers(200, seed: 1).map { $0 * 4 }
    try GradientCheck.compare([x]) { arrays in
      arrays[0].map { x in
        switch function {
        case .gelu:
          0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .squaredReLU: x > 0 ? x * x : 0
        case .silu: x / (1 + exp(-x))
        }
      }
    } actual: {
      try GradientCheck.run($0, shape: [200], c: $1) { tape, x, _ in
        tape.apply(function, to: x)
      }
    }
  }

  @Test("SwiGLU")
  func swiGLU() throws {
    let (r, c) = (5, 6)
    try GradientCheck.compare([GradientCheck.numbers(r * 2 * c, seed: 1)]) { arrays in
      (0..<r * c).map { index in
        let row = index / c * 2 * c
        let (g, u) = (arrays[0][row + index % c], arrays[0][row + c + index % c])
        return u * g / (1 + exp(-g))
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, 2 * c], c: $1) { tape, x, _ in tape.swiGLU(x) }
    }
  }

  @Test("Cross entropy over all targets that are not left out")
  func crossEntropy() throws {
    let (r, v) = (6, 11)
    let targets: [Int32] = [3, 0, -1, 10, 5, -1]
    try GradientCheck.compare([GradientCheck.numbers(r * v, seed: 1)]) { arrays in
      let losses = targets.indices.filter { targets[$0] >= 0 }.map { row -> Double in
        let x = arrays[0][row * v..<(row + 1) * v]
        return log(x.reduce(0) { $0 + exp($1) }) - x[row * v + Int(targets[row])]
      }
      return [losses.reduce(0, +) / Double(losses.count)]
    } actual: {
      try GradientCheck.run($0, shape: [r, v], c: $1) { tape, x, _ in
        tape.crossEntropy(x, targets: targets)
      }
    }
  }

  @Test("Causal attention, with and without shared keys", arguments: [(2, 2), (4, 2), (3, 1)])
  func attention(queries: Int, keys: Int) throws {
    let heads = AttentionHeads(queries: queries, keys: keys, size: 4)
    let (b, t, d) = (2, 5, 4)
    let width = heads.inputCount
    let x = GradientCheck.numbers(b * t * width, seed: 1).map { $0 * 2 }
    try GradientCheck.compare([x]) { arrays in
      let x = arrays[0]
      func row(_ sequence: Int, _ step: Int, _ head: Int) -> ArraySlice<Double> {
        let start = (sequence * t + step) * width + head * d
        return x[start..<start + d]
      }
      var y = [Double](repeating: 0, count: b * t * queries * d)
      for sequence in 0..<b {
        for head in 0..<queries {
          let key = queries + head / (queries / keys)
          for step in 0..<t {
            let weights = (0...step).map { other in
              exp(
                zip(row(sequence, step, head), row(sequence, other, key))
                  .reduce(0) { $0 + $1.0 * $1.1 } / Double(d).squareRoot())
            }
            let total = weights.reduce(0, +)
            for (other, weight) in weights.enumerated() {
              for (index, value) in row(sequence, other, key + keys).enumerated() {
                y[(sequence * t + step) * queries * d + head * d + index] +=
                  weight / total * value
              }
            }
          }
        }
      }
      return y
    } actual: {
      try GradientCheck.run($0, shape: [b, t, width], c: $1) { tape, x, _ in
        tape.causalAttention(x, heads: heads)
      }
    }
  }

  @Test("Rotary positions turn queries and keys, and nothing else")
  func rotary() throws {
    let heads = AttentionHeads(queries: 2, keys: 1, size: 6)
    let (b, t) = (2, 4)
    let width = heads.inputCount
    try GradientCheck.compare([GradientCheck.numbers(b * t * width, seed: 1)]) { arrays in
      var y = arrays[0]
      for row in 0..<b * t {
        for head in 0..<3 {
          for pair in 0..<3 {
            let angle = Double(row % t) * pow(10_000, -Double(pair) / 3)
            let place = row * width + head * 6 + pair
            let (p, q) = (arrays[0][place], arrays[0][place + 3])
            y[place] = p * cos(angle) - q * sin(angle)
            y[place + 3] = p * sin(angle) + q * cos(angle)
          }
        }
      }
      return y
    } actual: {
      try GradientCheck.run($0, shape: [b, t, width], c: $1) { tape, x, _ in
        tape.rotated(x, heads: heads, angles: RotaryAngles(steps: t, size: 6))
      }
    }
  }

  @Test("A sum hands its gradient to both sides, and an embedding to each token's row")
  func sumsAndEmbeddings() throws {
    let tape = Tape(parallelism: .threads(1))
    let table = Parameter(
      "table", shape: [3, 2], values: [1, 2, 3, 4, 5, 6], isDecayed: false)
    let x = tape.embedding(of: [2, 0, 2], shape: [3], table: table)
    #expect(x.array == [5, 6, 1, 2, 5, 6])
    let z = tape.sum(x, x)
    #expect(z.array == [10, 12, 2, 4, 10, 12])
    let dz = z.accumulatedGradient()
    for index in 0..<6 { dz[index] = Float(index + 1) }
    tape.backward(from: tape.constant([0], shape: [1]))
    #expect(table.gradientArray == [6, 8, 0, 0, 12, 16])
  }
}
