import BlockFormats
import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Routing to experts")
struct RoutingTests {
  private static func softmax(_ x: ArraySlice<Double>) -> [Double] {
    let total = x.reduce(0) { $0 + exp($1) }
    return x.map { exp($0) / total }
  }

  /// The indices of the K largest numbers, of equal ones the first, rising.
  private static func top(_ k: Int, _ p: [Double]) -> [Int] {
    p.indices.sorted { p[$0] > p[$1] || (p[$0] == p[$1] && $0 < $1) }.prefix(k).sorted()
  }

  private func row(_ index: Int, of x: [Double], _ count: Int) -> ArraySlice<Double> {
    x[index * count..<(index + 1) * count]
  }

  @Test(
    "A row goes to its most probable experts, whose weights are their probabilities over their sum",
    arguments: [(7, 1), (7, 2), (7, 3), (7, 7), (1, 1)])
  func weights(e: Int, k: Int) throws {
    let r = 37
    let logits = GradientCheck.numbers(r * e, seed: 1).map { $0 * 4 }
    let exact = logits.map(Double.init)
    let expected = (0..<r).map { Self.top(k, Self.softmax(row($0, of: exact, e))) }
    let tape = Tape(parallelism: .threads(2))
    let routing = tape.route(tape.constant(logits, shape: [r, e]), choosing: k)
    #expect(routing.chosen == expected.flatMap { $0 })
    let loads = (0..<e).map { expert in expected.count { $0.contains(expert) } }
    #expect(routing.loads == loads)
    // Differences of 2^-17 in 4 · 7 r random numbers change no choice.
    try GradientCheck.compare([logits]) { arrays in
      (0..<r).flatMap { index -> [Double] in
        let p = Self.softmax(row(index, of: arrays[0], e))
        let sum = expected[index].reduce(0) { $0 + p[$1] }
        return expected[index].map { p[$0] / sum }
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, e], c: $1) { tape, x, _ in
        tape.route(x, choosing: k).gates
      }
    }
  }

  @Test("Of equally probable experts the first are chosen")
  func ties() {
    let tape = Tape()
    let logits: [Float] = [
      0, 0, 0, 0,
      1, 2, 1, 2,
      0, 1, 1, 1,
      2, 1, 1, 0,
      -.infinity, -.infinity, 0, -.infinity,
    ]
    let routing = tape.route(tape.constant(logits, shape: [5, 4]), choosing: 2)
    #expect(routing.chosen == [0, 1, 1, 3, 1, 2, 0, 1, 0, 2])
    let half = 0.5 as Float
    let gates = routing.gates.array
    #expect(gates[0..<6] == [half, half, half, half, half, half])
    #expect(gates[8...] == [0, 1])
  }

  @Test("A row that is not a number has different experts all the same")
  func notANumber() {
    let tape = Tape()
    let routing = tape.route(
      tape.constant([0, .nan, 1, 2, 5, .infinity, 1, 2], shape: [2, 4]), choosing: 3)
    #expect(routing.chosen == [0, 1, 2, 0, 1, 2])
    let areNaN = routing.gates.array.allSatisfy(\.isNaN)
    #expect(areNaN)
  }

  @Test("The balance loss is the experts' shares times their mean probabilities")
  func balance() throws {
    let (r, e, k) = (50, 5, 2)
    let logits = GradientCheck.numbers(r * e, seed: 3).map { $0 * 3 }
    let exact = logits.map(Double.init)
    let chosen = (0..<r).flatMap { Self.top(k, Self.softmax(row($0, of: exact, e))) }
    try GradientCheck.compare([logits]) { arrays in
      let p = (0..<r).map { Self.softmax(row($0, of: arrays[0], e)) }
      return [
        (0..<e).reduce(0.0) { sum, expert in
          let share = Double(chosen.count { $0 == expert }) / Double(r * k)
          let mean = p.reduce(0) { $0 + $1[expert] } / Double(r)
          return sum + Double(e) * share * mean
        }
      ]
    } actual: {
      try GradientCheck.run($0, shape: [r, e], c: $1) { tape, x, _ in
        tape.balanceLoss(of: tape.route(x, choosing: k))
      }
    }
  }

  @Test("Even loads have a balance loss of 1, a single expert for all nearly E")
  func balanceBounds() {
    let tape = Tape()
    func loss(_ logits: [Float]) -> Float {
      tape.balanceLoss(of: tape.route(tape.constant(logits, shape: [4, 4]), choosing: 1)).array[0]
    }
    let even = (0..<16).map { Float($0 % 5 == 0 ? 1 : 0) }
    // Sixteen roundings of probabilities and their sums, each 2^-24 or less of a number of 1 or less.
    #expect(abs(loss(even) - 1) < 0x1p-20)
    #expect(abs(loss((0..<16).map { $0 % 4 == 2 ? 40 : 0 }) - 4) < 0x1p-20)
  }

  /// Σ g_e f_e(x) with a function for each expert, and the logits in the rows themselves.
  private func mixture(_ x: Activation, choosing k: Int, on tape: Tape) -> Activation {
    let routing = tape.route(x, choosing: k)
    let outputs = (0..<x.columnCount).map { expert -> Activation? in
      guard let rows = tape.gather(x, for: expert, routing) else { return nil }
      switch expert % 3 {
      case 0: return rows
      case 1: return tape.apply(.silu, to: rows)
      default: return tape.apply(.squaredReLU, to: rows)
      }
    }
    return tape.combine(outputs, routing)
  }

  @Test(
    "Experts' rows come back with their weights, and gradients go both ways",
    arguments: [1, 2, 6])
  func dispatch(k: Int) throws {
    let (r, e) = (45, 6)
    let x = GradientCheck.numbers(r * e, seed: 5).map { $0 * 2 }
    try GradientCheck.compare([x]) { arrays in
      (0..<r).flatMap { index -> [Double] in
        let x = row(index, of: arrays[0], e)
        let p = Self.softmax(x)
        let chosen = Self.top(k, p)
        let sum = chosen.reduce(0) { $0 + p[$1] }
        return x.map { x in
          chosen.reduce(0) { total, expert in
            let y = [x, x / (1 + exp(-x)), x > 0 ? x * x : 0][expert % 3]
            return total + p[expert] / sum * y
          }
        }
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, e], c: $1) { tape, x, _ in
        self.mixture(x, choosing: k, on: tape)
      }
    }
  }

  @Test("Threads change no bit of routes, rows and gradients")
  func threads() throws {
    let (r, e) = (3000, 24)
    let numbers = GradientCheck.numbers(r * e, seed: 6).map { $0 * 3 }
    let c = GradientCheck.numbers(r * e, seed: 7)
    func run(_ threads: Int) throws -> (result: [Float], gradients: [[Float]]) {
      try GradientCheck.run([numbers], shape: [r, e], c: c, threads: threads) { tape, x, _ in
        let y = self.mixture(x, choosing: 4, on: tape)
        tape.minimise(tape.balanceLoss(of: tape.route(x, choosing: 4)), weight: 3)
        return y
      }
    }
    let (one, three) = try (run(1), run(3))
    #expect(one.result == three.result)
    #expect(one.gradients == three.gradients)
  }

  @Test("An expert's rows stand in order, with zeros up to a multiple of 32, or not at all")
  func gathering() throws {
    let tape = Tape()
    let x = tape.constant((0..<12).map(Float.init), shape: [6, 2])
    let logits: [Float] = [1, 0, 0, 0, 2, 0, 3, 0, 0, 4, 0, 0, 0, 5, 0, 6, 0, 0]
    let routing = tape.route(tape.constant(logits, shape: [6, 3]), choosing: 1)
    #expect(routing.loads == [4, 2, 0])
    let first = try #require(tape.gather(x, for: 0, routing))
    #expect(first.shape == [32, 2])
    #expect(first.array == [0, 1, 4, 5, 6, 7, 10, 11] + [Float](repeating: 0, count: 56))
    let second = try #require(tape.gather(x, for: 1, routing))
    #expect(second.array[0..<4] == [2, 3, 8, 9])
    #expect(tape.gather(x, for: 2, routing) == nil)
    let y = tape.combine([first, second, nil], routing)
    #expect(y.array == x.array)
    tape.backward(from: y, scale: 2)
    #expect(x.gradientArray == [Float](repeating: 2, count: 12))
    // What fills up the rows gets no gradient.
    let (two, zero) = ([Float](repeating: 2, count: 8), [Float](repeating: 0, count: 56))
    #expect(first.gradientArray == two + zero)
  }

  @Test("Rows one after the other, and their gradients apart again")
  func concatenation() throws {
    let (r, c) = (5, 3)
    let inputs = [GradientCheck.numbers(r * c, seed: 1)]
    try GradientCheck.compare(inputs) { arrays in
      (0..<r).flatMap { index -> [Double] in
        let x = row(index, of: arrays[0], c)
        return x.map { $0 > 0 ? $0 * $0 : 0 } + x
      }
    } actual: {
      try GradientCheck.run($0, shape: [r, c], c: $1) { tape, x, _ in
        tape.concatenation(tape.apply(.squaredReLU, to: x), x)
      }
    }
  }
}
