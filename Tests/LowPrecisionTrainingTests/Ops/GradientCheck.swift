import BlockFormats
import FormatTestSupport
import Testing

@testable import LowPrecisionTraining

/// Compares an operation and its gradient with the same formula in double precision.
///
/// The gradient of Σ c · f(x) for random c comes from central differences of the double-precision
/// formula, h = 2^-17: their error is about h² times the third derivative plus 2^-53 / h, below 2^-30
/// for the smooth formulas here. What remains is FP32: sums here have at most 64 terms, so each is
/// within 64 · 2^-24 = 2^-18 of its terms' magnitude, and no more than eight such steps follow each
/// other. The bound is therefore 2^-15 of the largest number of the compared array.
struct GradientCheck {
  static let bound: Float = 0x1p-15
  static let step = 0x1p-17

  /// Numbers in (-1, 1).
  static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
  }

  /// - Parameters:
  ///   - inputs: the arrays that the operation depends on.
  ///   - formula: the operation in double precision, from those arrays.
  ///   - actual: the result of the operation, and the gradients of Σ c · result by each array.
  static func compare(
    _ inputs: [[Float]], formula: ([[Double]]) -> [Double],
    actual: ([[Float]], _ c: [Float]) throws -> (result: [Float], gradients: [[Float]])
  ) rethrows {
    let exact = inputs.map { $0.map(Double.init) }
    let expected = formula(exact)
    let c = numbers(expected.count, seed: 99)
    let (result, gradients) = try actual(inputs, c)
    expectClose(result, expected, "result")
    func loss(_ arrays: [[Double]]) -> Double {
      zip(formula(arrays), c).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    for array in inputs.indices {
      let differences = inputs[array].indices.map { index -> Double in
        var (above, below) = (exact, exact)
        above[array][index] += step
        below[array][index] -= step
        return (loss(above) - loss(below)) / (2 * step)
      }
      expectClose(gradients[array], differences, "gradient \(array)")
    }
  }

  private static func expectClose(_ actual: [Float], _ expected: [Double], _ what: String) {
    #expect(actual.count == expected.count)
    let most = max(1e-3, expected.map(abs).max() ?? 0)
    let worst =
      zip(actual, expected).map { abs(Double($0) - $1) }.max() ?? 0
    #expect(worst <= Double(bound) * most, "\(what): \(worst) of \(most)")
    let areFinite = actual.allSatisfy(\.isFinite)
    #expect(areFinite)
  }

  /// Runs an operation of one activation and of parameters on a tape.
  static func run(
    _ inputs: [[Float]], shape: [Int], parameters shapes: [[Int]] = [], c: [Float],
    threads: Int = 2, _ body: (Tape, Activation, [Parameter]) -> Activation
  ) throws -> (result: [Float], gradients: [[Float]]) {
    let tape = Tape(parallelism: .threads(threads))
    let x = tape.constant(inputs[0], shape: shape)
    let parameters = zip(inputs.dropFirst(), shapes).map {
      Parameter("parameter", shape: $1, values: $0, isDecayed: false)
    }
    let y = body(tape, x, parameters)
    let target = y.accumulatedGradient()
    for (index, value) in c.enumerated() { target[index] = value }
    tape.backward(from: tape.constant([0], shape: [1]))
    return (y.array, [try #require(x.gradientArray)] + parameters.map(\.gradientArray))
  }
}
