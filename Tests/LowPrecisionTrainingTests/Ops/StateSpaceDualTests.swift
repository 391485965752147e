import BlockFormats
import FormatTestSupport
import Foundation
import Synchronization
import Testing

@testable import LowPrecisionTraining

@Suite("The scan of Mamba-2 in chunks")
struct StateSpaceDualTests {
  /// Operands of a scan.
  struct Operands {
    let heads: StateSpaceHeads
    let sequences: Int
    let steps: Int
    var x, dt, a, b, c, d: [Float]

    /// Numbers in (-1, 1), with Δ in (0, 0.2).
    init(_ heads: StateSpaceHeads, sequences: Int, steps: Int) {
      (self.heads, self.sequences, self.steps) = (heads, sequences, steps)
      let rows = sequences * steps
      x = GradientCheck.numbers(rows * heads.channelCount, seed: 1)
      dt = GradientCheck.numbers(rows * heads.count, seed: 2).map { 0.1 + 0.1 * $0 }
      a = GradientCheck.numbers(heads.count, seed: 3)
      b = GradientCheck.numbers(rows * heads.mapCount, seed: 4)
      c = GradientCheck.numbers(rows * heads.mapCount, seed: 5)
      d = GradientCheck.numbers(heads.count, seed: 6)
    }

    var recurrence: StateSpaceRecurrence {
      StateSpaceRecurrence(heads: heads, sequences: sequences, steps: steps)
    }

    /// The result, and the gradients of Σ y by x, Δ, A_log, B, C and D.
    func run(
      threads: Int = 2, narrowState: StateNarrowing? = nil
    ) throws -> (y: [Float], gradients: [[Float]]) {
      let tape = Tape(parallelism: .threads(threads))
      func rows(_ numbers: [Float], _ columns: Int) -> Activation {
        tape.constant(numbers, shape: [sequences, steps, columns])
      }
      let x = rows(x, heads.channelCount)
      let dt = rows(dt, heads.count)
      let b = rows(b, heads.mapCount)
      let c = rows(c, heads.mapCount)
      let a = Parameter("a", shape: [heads.count], values: a, isDecayed: false)
      let d = Parameter("d", shape: [heads.count], values: d, isDecayed: false)
      let y = tape.stateSpaceDual(
        x: x, dt: dt, a: a, b: b, c: c, d: d, heads: heads, narrowState: narrowState)
      tape.backward(from: y)
      let gradients = [x, dt, b, c].map { $0.gradientArray ?? [] }
      return (
        y.array,
        [
          gradients[0], gradients[1], a.gradientArray, gradients[2], gradients[3],
          d.gradientArray,
        ]
      )
    }

    func expectAccurate(sourceLocation: SourceLocation = #_sourceLocation) throws {
      let (x, dt, a, b, c, d) = (
        doubles(x), doubles(dt), doubles(a), doubles(b), doubles(c), doubles(d)
      )
      let bounds = recurrence.bounds(x: x, dt: dt, a: a, b: b, c: c, d: d)
      let result = try run()
      expectClose(
        result.y, recurrence.result(x: x, dt: dt, a: a, b: b, c: c, d: d),
        sourceLocation: sourceLocation
      ) { bounds[$0] }
      for gradient in result.gradients {
        let areFinite = gradient.allSatisfy(\.isFinite)
        #expect(areFinite, sourceLocation: sourceLocation)
      }
    }
  }

  @Test(
    "Chunks compute what the recurrence does, whole, ragged and over again",
    arguments: [1, 2, 63, 64, 65, 128, 200])
  func recurrence(steps: Int) throws {
    try Operands(
      StateSpaceHeads(count: 4, size: 3, groupCount: 2, stateCount: 5), sequences: 2,
      steps: steps
    ).expectAccurate()
    try Operands(
      StateSpaceHeads(count: 2, size: 20, stateCount: 17), sequences: 1, steps: steps
    ).expectAccurate()
  }

  @Test("The worked example, also with its steps at the end of a chunk and after it")
  func example() throws {
    // [calc]: h = 0.1, 0.2818730753, -0.6911832899, 2.7366859853.
    let expected = [1.1, 2.2818730753, 1.6176334202, 1.2633140147]
    for start in [0, 61, 62, 63] {
      var operands = Operands(
        StateSpaceHeads(count: 1, size: 1, stateCount: 1), sequences: 1, steps: start + 4)
      let zeros = [Float](repeating: 0, count: start)
      operands.x = zeros + [1, 2, 3, 4]
      operands.dt = zeros + [0.1, 0.2, 0.3, 0.4]
      operands.b = zeros + [1, 0.5, -1, 2]
      operands.c = zeros + [1, 1, 2, -1]
      (operands.a, operands.d) = ([0], [1])
      let y = try operands.run().y
      // Fewer than sixteen roundings of numbers up to 8.
      expectClose(y.suffix(4), expected) { _ in 16 * 8 * halfUlp }
    }
  }

  @Test(
    "Long contexts stay accurate, from decays that hardly show to ones that forget at once",
    arguments: [Float(-14), -7, 0, 3, 5, 12, 60])
  func longContexts(logarithm: Float) throws {
    var operands = Operands(
      StateSpaceHeads(count: 2, size: 1, stateCount: 2), sequences: 1, steps: 4096)
    operands.a = [logarithm, 0]
    try operands.expectAccurate()
  }

  @Test("Weak decays keep their digits beside strong ones")
  func strongSteps() throws {
    var operands = Operands(
      StateSpaceHeads(count: 1, size: 1, stateCount: 1), sequences: 1, steps: 64)
    operands.a = [0]
    // cs falls to -6000, where FP32 numbers are 2^-11 apart. Terms are positive, so errors do not cancel.
    operands.dt = (0..<64).map { $0 < 48 ? 125 : 1.25e-3 }
    operands.x = operands.dt.map { 1 / $0 }
    operands.b = [Float](repeating: 1, count: 64)
    operands.c = operands.b
    try operands.expectAccurate()
  }

  /// Gradients of Σ c · y; operands of steps are columns of one array.
  private func checkGradients(_ operands: Operands, threads: Int) throws {
    let (h, p, maps) = (operands.heads.count, operands.heads.channelCount, operands.heads.mapCount)
    let columns = [p, h, maps, maps]
    let rows = operands.sequences * operands.steps
    let parts = [operands.x, operands.dt, operands.b, operands.c]
    let together = (0..<rows).flatMap { row in
      zip(parts, columns).flatMap { $0[row * $1..<(row + 1) * $1] }
    }
    // The bound of the check holds as chains of at most 130 terms, or 2^-16.9 of their magnitude, add up
    // to results and gradients that are sums of at most three of them.
    try GradientCheck.compare([together, operands.a, operands.d]) { arrays in
      let width = columns.reduce(0, +)
      func part(_ index: Int) -> [Double] {
        let first = columns[0..<index].reduce(0, +)
        return (0..<rows).flatMap {
          arrays[0][$0 * width + first..<$0 * width + first + columns[index]]
        }
      }
      return operands.recurrence.result(
        x: part(0), dt: part(1), a: arrays[1], b: part(2), c: part(3), d: arrays[2])
    } actual: {
      try GradientCheck.run(
        $0, shape: [operands.sequences, operands.steps, columns.reduce(0, +)],
        parameters: [[h], [h]], c: $1, threads: threads
      ) { tape, x, parameters in
        let parts = tape.split(x, columns: columns)
        return tape.stateSpaceDual(
          x: parts[0], dt: parts[1], a: parameters[0], b: parts[2], c: parts[3],
          d: parameters[1], heads: operands.heads)
      }
    }
  }

  @Test("Gradients of every operand, with heads that share maps, across a chunk's end")
  func gradients() throws {
    try checkGradients(
      Operands(
        StateSpaceHeads(count: 4, size: 2, groupCount: 2, stateCount: 2), sequences: 1, steps: 66
      ), threads: 2)
    try checkGradients(
      Operands(StateSpaceHeads(count: 2, size: 1, stateCount: 3), sequences: 3, steps: 5),
      threads: 1)
  }

  @Test("Gradients go through a whole chunk between two others")
  func gradientsThroughChunks() throws {
    var operands = Operands(
      StateSpaceHeads(count: 1, size: 2, stateCount: 2), sequences: 1, steps: 130)
    // Slow enough that a chunk forgets half.
    operands.a = [-2]
    try checkGradients(operands, threads: 1)
  }

  @Test("Threads change no bit")
  func threads() throws {
    let operands = Operands(
      StateSpaceHeads(count: 4, size: 5, groupCount: 2, stateCount: 3), sequences: 3, steps: 150)
    let one = try operands.run(threads: 1)
    for threads in [2, 4] {
      let other = try operands.run(threads: threads)
      #expect(other.y == one.y)
      #expect(other.gradients == one.gradients)
    }
  }

  @Test("States are rounded between chunks, each once, and gradients pass through")
  func narrowing() throws {
    let heads = StateSpaceHeads(count: 4, size: 3, groupCount: 2, stateCount: 5)
    let operands = Operands(heads, sequences: 2, steps: 130)
    let seen = Mutex([Int]())
    let forgetting = StateNarrowing { states, rows, columns, first in
      #expect(rows == 3 && columns == 5)
      seen.withLock { $0.append(first) }
      for index in 0..<rows * columns { states[index] = 0 }
    }
    let narrowed = try operands.run(narrowState: forgetting)
    // Two sequences of two chunks that a third one follows, with four heads of fifteen numbers.
    #expect(seen.withLock { $0.sorted() } == (0..<16).map { $0 * 15 })

    // A chunk that remembers nothing is a sequence of its own.
    var alone = Operands(heads, sequences: 1, steps: 64)
    func steps(_ numbers: [Float], _ columns: Int, from first: Int) -> [Float] {
      Array(numbers[first * columns..<(first + 64) * columns])
    }
    for first in [0, 64, 130, 194] {
      alone.x = steps(operands.x, heads.channelCount, from: first)
      alone.dt = steps(operands.dt, heads.count, from: first)
      alone.b = steps(operands.b, heads.mapCount, from: first)
      alone.c = steps(operands.c, heads.mapCount, from: first)
      #expect(try alone.run().y == steps(narrowed.y, heads.channelCount, from: first))
    }

    // Gradients by x and B do not depend on the states, only on what goes back through them.
    let plain = try operands.run()
    #expect(narrowed.gradients[0] == plain.gradients[0])
    #expect(narrowed.gradients[3] == plain.gradients[3])
    #expect(narrowed.gradients[4] != plain.gradients[4])
  }
}
