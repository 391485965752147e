import BlockFormats
import CTrainingKernels
import FormatTestSupport
import Testing

@testable import LowPrecisionTraining

@Suite("Functions of training kernels")
struct FunctionTests {
  @Test(
    "Sampled values keep the stated errors on every level", arguments: FunctionSample.all)
  func sampledErrors(sample: FunctionSample) {
    var generator = SeededGenerator(seed: 1)
    var x = (0..<1024).map { _ in
      Float(bitPattern: UInt32.random(in: 0...(.max), using: &generator))
    }
    x += generator.numbers(1024, range: 16)
    x += generator.numbers(512, range: 110)
    let y = onEveryLevel([x, x]) { $0.apply(sample.code, $1[0], x.count, $1[1]) }[1]
    check(sample, x, y)
  }

  @Test(
    "All numbers keep the stated errors", .enabled(if: Intensity.isDeep),
    arguments: FunctionSample.all)
  func allErrors(sample: FunctionSample) {
    let table = TrainingKernels.best.table.pointee
    let count: UInt32 = 1 << 16
    for upper in UInt32(0)..<(1 << 16) {
      let x = (0..<count).map { Float(bitPattern: upper << 16 | $0) }
      var y = x
      table.apply(sample.code, x, x.count, &y)
      check(sample, x, y)
    }
  }

  private func check(_ sample: FunctionSample, _ x: [Float], _ y: [Float]) {
    var failures = 0
    for i in x.indices where x[i].isFinite {
      let expected = sample.value(Double(x[i]))
      let isRight: Bool
      if expected.isNaN {
        isRight = y[i].bitPattern == 0x7FC0_0000
      } else if abs(expected) >= 0x1.ffffffp127 {
        isRight = y[i] == Float(expected)
      } else {
        let bound = sample.error(at: Double(x[i]), expected: expected)
        isRight = abs(Double(y[i]) - expected) <= bound
      }
      if !isRight && failures < 4 {
        failures += 1
        Issue.record("\(sample.name)(\(x[i])) = \(y[i]), not \(expected)")
      }
    }
  }

  @Test("NaN stays NaN, and infinities give the limits", arguments: FunctionSample.all)
  func specialValues(sample: FunctionSample) {
    let x = [
      .nan, -.nan, Float(bitPattern: 0x7F80_0001), .infinity, -.infinity, 0, -0.0,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
      -.leastNonzeroMagnitude,
    ]
    let dy = [Float](repeating: 1, count: x.count)
    let results = onEveryLevel([x, x, dy, x]) {
      $0.apply(sample.code, $1[0], x.count, $1[1])
      $0.apply_backward(sample.code, $1[0], $1[2], x.count, $1[3])
    }
    let y = results[1], slope = results[3]
    for i in 0..<3 {
      #expect(y[i].bitPattern == 0x7FC0_0000)
      #expect(slope[i].bitPattern == 0x7FC0_0000)
    }
    let inf = Float.infinity
    let limits: [BKFunction.RawValue: [Float]] = [
      BK_EXP.rawValue: [inf, 0, 1, 1], BK_LOG.rawValue: [inf, .nan, -inf, -inf],
      BK_TANH.rawValue: [1, -1, 0, -0.0], BK_SIGMOID.rawValue: [1, 0, 0.5, 0.5],
      BK_SOFTPLUS.rawValue: [inf, 0, Float(0x1.62e43p-1), Float(0x1.62e43p-1)],
      BK_GELU_TANH.rawValue: [inf, -0.0, 0, -0.0], BK_GELU.rawValue: [inf, -0.0, 0, -0.0],
      BK_SILU.rawValue: [inf, -0.0, 0, -0.0], BK_SQUARED_RELU.rawValue: [inf, 0, 0, 0],
    ]
    for (value, limit) in zip(y[3...], limits[sample.code.rawValue] ?? []) {
      #expect(value.isNaN ? limit.isNaN : value.bitPattern == limit.bitPattern, "\(value) \(limit)")
    }
    if sample.code != BK_LOG && sample.code != BK_EXP && sample.code != BK_SQUARED_RELU {
      #expect(slope.dropFirst(3).allSatisfy { $0.isFinite }, "\(slope)")
    }
  }

  @Test("Derivatives agree with central differences", arguments: FunctionSample.all)
  func derivatives(sample: FunctionSample) {
    var generator = SeededGenerator(seed: 2)
    for count in 0...70 {
      let numbers = generator.numbers(count, range: 12)
      let x = sample.code == BK_LOG ? numbers.map { abs($0) + 0.1 } : numbers
      let dy = generator.numbers(count), u = generator.numbers(count)
      let results = onEveryLevel([x, dy, u, dy, u, x, u]) {
        $0.apply_backward(sample.code, $1[0], $1[1], count, $1[3])
        $0.gate(sample.code, $1[0], $1[2], count, $1[4])
        $0.gate_backward(sample.code, $1[0], $1[2], $1[1], count, $1[5], $1[6])
      }
      for i in 0..<count {
        let value = sample.value(Double(x[i]))
        let slope = gradient(at: [Double(x[i])]) { sample.value($0[0]) }[0]
        let valueBound = sample.error(at: Double(x[i]), expected: value) + halfUlp * abs(value)
        let slopeBound =
          sample.slopeError + sample.slopeUlps * ulp(slope) + 2 * halfUlp * abs(slope)
          + differenceError * max(1, abs(value))
        let d = Double(dy[i]), other = Double(u[i])
        expectClose([results[3][i]], [d * slope], "dx") { _ in abs(d) * slopeBound }
        expectClose([results[4][i]], [other * value], "gate") { _ in abs(other) * valueBound }
        expectClose([results[5][i]], [d * other * slope], "dg") { _ in abs(d * other) * slopeBound }
        expectClose([results[6][i]], [d * value], "du") { _ in abs(d) * valueBound }
      }
    }
  }

  @Test("Results may take the place of operands", arguments: FunctionSample.all)
  func inPlace(sample: FunctionSample) {
    var generator = SeededGenerator(seed: 3)
    let x = generator.numbers(53), dy = generator.numbers(53)
    let apart = onEveryLevel([x, dy, x, x, dy]) {
      $0.apply(sample.code, $1[0], 53, $1[2])
      $0.gate_backward(sample.code, $1[0], $1[0], $1[1], 53, $1[3], $1[4])
    }
    let inPlace = onEveryLevel([x, x, dy]) {
      $0.apply(sample.code, $1[0], 53, $1[0])
      $0.gate_backward(sample.code, $1[1], $1[1], $1[2], 53, $1[1], $1[2])
    }
    #expect(bits(inPlace[0]) == bits(apart[2]))
    #expect(bits(inPlace[1]) == bits(apart[3]))
    #expect(bits(inPlace[2]) == bits(apart[4]))
  }

  private func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }
}
