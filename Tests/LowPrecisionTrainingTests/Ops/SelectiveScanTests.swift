import BlockFormats
import CTrainingKernels
import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("The selective scan against its recurrence")
struct SelectiveScanTests {
  /// The recurrence in double precision.
  ///
  /// x: B x T rows of u, Δ before its softplus, B and C.
  private func formula(
    _ x: [Double], a: [Double], d: [Double], sequences: Int, states n: Int
  ) -> [Double] {
    let channels = d.count
    let width = 2 * channels + 2 * n
    let rows = x.count / width
    var y = [Double](repeating: 0, count: rows * channels)
    for channel in 0..<channels {
      var h = [Double](repeating: 0, count: n)
      for row in 0..<rows {
        let start = row * width
        if row % (rows / sequences) == 0 { h = h.map { _ in 0 } }
        let u = x[start + channel]
        let dt = log(1 + exp(x[start + channels + channel]))
        var sum = d[channel] * u
        for state in 0..<n {
          let decay = exp(-dt * exp(a[channel * n + state]))
          h[state] = decay * h[state] + dt * x[start + 2 * channels + state] * u
          sum += x[start + 2 * channels + n + state] * h[state]
        }
        y[row * channels + channel] = sum
      }
    }
    return y
  }

  private func scan(
    _ x: Activation, _ parameters: [Parameter], on tape: Tape, narrowState: StateNarrowing? = nil
  ) -> Activation {
    let (d, n) = (parameters[0].shape[0], parameters[0].shape[1])
    let parts = tape.split(x, columns: [d, d, n, n])
    return tape.selectiveScan(
      u: parts[0], dt: tape.softplus(parts[1]), a: parameters[0], b: parts[2], c: parts[3],
      d: parameters[1], narrowState: narrowState)
  }

  @Test(
    "Every operand has the gradient of central differences, across chunks too",
    arguments: [(2, 1, 3, 2), (2, 3, 2, 17), (1, 66, 2, 2), (3, 5, 17, 1)])
  func gradients(sequences: Int, steps: Int, channels: Int, states: Int) throws {
    let width = 2 * channels + 2 * states
    let inputs = [
      GradientCheck.numbers(sequences * steps * width, seed: 1),
      GradientCheck.numbers(channels * states, seed: 2), GradientCheck.numbers(channels, seed: 3),
    ]
    try GradientCheck.compare(inputs) {
      formula($0[0], a: $0[1], d: $0[2], sequences: sequences, states: states)
    } actual: {
      try GradientCheck.run(
        $0, shape: [sequences, steps, width], parameters: [[channels, states], [channels]], c: $1
      ) { tape, x, parameters in scan(x, parameters, on: tape) }
    }
  }

  @Test("A worked example")
  func example() {
    let tape = Tape(parallelism: .threads(1))
    let a = Parameter("a", shape: [1, 1], values: [0], isDecayed: false)
    let d = Parameter("d", shape: [1], values: [1], isDecayed: false)
    let y = tape.selectiveScan(
      u: tape.constant([1, 2, 3, 4], shape: [1, 4, 1]),
      dt: tape.constant([0.1, 0.2, 0.3, 0.4], shape: [1, 4, 1]), a: a,
      b: tape.constant([1, 0.5, -1, 2], shape: [1, 4, 1]),
      c: tape.constant([1, 1, 2, -1], shape: [1, 4, 1]), d: d)
    // With A = -1, from an implementation in double precision; a few roundings of numbers below 4.
    for (value, expected) in zip(y.array, [1.1, 2.2818730753, 1.6176334202, 1.2633140147]) {
      #expect(abs(Double(value) - expected) < 8 * 4 * halfUlp)
    }
  }

  @Test(
    "Long sequences stay within the errors of their roundings, with slow and with fast decays",
    arguments: [-24...(-20), -6...4, 6...8] as [ClosedRange<Float>])
  func longSequences(rates: ClosedRange<Float>) throws {
    let (t, d, n) = (4133, 3, 2)
    var reference = ScanReference(steps: t, channels: d, states: n, seed: 1, rates: rates)
    reference.before = reference.before.map { _ in 0 }
    reference.dh = reference.dh.map { _ in 0 }
    // What the kernels make of a, which is -exp(log(-a)).
    let logarithms = (0..<d * n).map { log(-reference.a[$0 % n * d + $0 / n]) }
    let a = Parameter("a", shape: [d, n], values: logarithms, isDecayed: false)
    let rates = TrainingKernels.best.apply(BK_EXP, to: logarithms)
    for index in 0..<d * n { reference.a[index % n * d + index / n] = -rates[index] }
    let skips = Parameter("d", shape: [d], values: reference.d, isDecayed: false)

    let tape = Tape(parallelism: .threads(2))
    let u = tape.constant(reference.u, shape: [1, t, d])
    let dt = tape.constant(reference.dt, shape: [1, t, d])
    let b = tape.constant(reference.b, shape: [1, t, n])
    let c = tape.constant(reference.c, shape: [1, t, n])
    let y = tape.selectiveScan(u: u, dt: dt, a: a, b: b, c: c, d: skips)
    let gradient = y.accumulatedGradient()
    for (index, value) in reference.dy.enumerated() { gradient[index] = value }
    tape.backward(from: tape.constant([0], shape: [1]))

    let expected = reference.results()
    expectClose(y.array, expected.y, "y")
    expectClose(try #require(u.gradientArray), expected.du, "du")
    expectClose(try #require(dt.gradientArray), expected.ddt, "ddt")
    expectClose(try #require(b.gradientArray), expected.db, "db")
    expectClose(try #require(c.gradientArray), expected.dc, "dc")
    expectClose(skips.gradientArray, expected.dd, "dd")
    let da = (0..<d * n).map { index -> Bounded in
      let place = index % n * d + index / n
      return expected.da[place] * Bounded(reference.a[place])
    }
    expectClose(a.gradientArray, da, "da")
  }

  @Test("Nothing depends on the number of threads")
  func threads() throws {
    let (sequences, t, d, n) = (3, 66, 300, 5)
    let width = 2 * d + 2 * n
    let inputs = [
      GradientCheck.numbers(sequences * t * width, seed: 1), GradientCheck.numbers(d * n, seed: 2),
      GradientCheck.numbers(d, seed: 3),
    ]
    let dy = GradientCheck.numbers(sequences * t * d, seed: 4)
    let results = try [1, 2, 4].map { threads in
      try GradientCheck.run(
        inputs, shape: [sequences, t, width], parameters: [[d, n], [d]], c: dy, threads: threads
      ) { tape, x, parameters in scan(x, parameters, on: tape) }
    }
    for other in results.dropFirst() {
      #expect(other.result == results[0].result)
      #expect(other.gradients == results[0].gradients)
    }
  }

  @Test("States between chunks are rounded by row, and gradients pass through")
  func narrowing() throws {
    let (sequences, t, d, n) = (2, 66, 130, 3)
    let tape = Tape(parallelism: .threads(2))
    func activation(_ value: Float, _ columns: Int) -> Activation {
      tape.constant(
        [Float](repeating: value, count: sequences * t * columns), shape: [sequences, t, columns])
    }
    // Decays are 1 and nothing enters, so that a state stays what the rounding made of it.
    let (u, dt) = (activation(1, d), activation(0, d))
    let c = tape.constant(
      (0..<sequences * t * n).map { $0 % n == 1 ? 1 : 0 }, shape: [sequences, t, n])
    let zeros = [Float](repeating: 0, count: d * n)
    let a = Parameter("a", shape: [d, n], values: zeros, isDecayed: false)
    let zero = Parameter("d", shape: [d], values: Array(zeros[..<d]), isDecayed: false)
    let y = tape.selectiveScan(
      u: u, dt: dt, a: a, b: activation(1, n), c: c, d: zero,
      narrowState: StateNarrowing { states, rows, columns, first in
        for index in 0..<rows * columns { states[index] += Float(first + index) }
      })
    let chunks = 3
    for (place, value) in y.array.enumerated() {
      let (sequence, step, channel) = (place / d / t, place / d % t, place % d)
      let expected = (0..<step / 32).reduce(0) {
        $0 + ((sequence * chunks + $1) * d + channel) * n + 1
      }
      #expect(value == Float(expected))
    }
    // The last step's output reaches sizes of the first chunk, where no state was yet: Σ_n C B u.
    let dy = y.accumulatedGradient()
    for channel in 0..<d { dy[(t - 1) * d + channel] = 1 }
    tape.backward(from: tape.constant([0], shape: [1]))
    let sizes = try #require(dt.gradientArray)
    #expect(sizes[..<(32 * d)].allSatisfy { $0 == 1 })
  }
}
