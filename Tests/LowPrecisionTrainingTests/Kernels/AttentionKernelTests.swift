import CTrainingKernels
import FormatTestSupport
import Foundation
import Testing

@Suite("Kernels of attention and loss")
struct AttentionKernelTests {
  /// exp(scale x - max) over its sum.
  private func softmax(_ x: [Double], scale: Double) -> [Double] {
    let products = x.map { $0 * scale }
    let greatest = products.max() ?? 0
    let exponentials = products.map { exp($0 - greatest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// What exponents down to -`range`, their exponentials and their sum lose, relatively.
  private func softmaxError(_ count: Int, range: Double) -> Double {
    (2 * range + 8) * halfUlp + summationError(count)
  }

  @Test("Softmax and its derivative agree with double precision, causal or not")
  func rows() {
    var generator = SeededGenerator(seed: 1)
    let scale: Float = 0.7
    for columns in 0...70 {
      let rows = 1 + columns % 3, stride = columns + columns % 2
      let isCausal = columns % 3 == 1
      let first = isCausal ? max(columns - 2, 0) : columns
      var shape = BKRowShape(rows: rows, columns: columns, stride: stride)
      let s = generator.rows(rows, columns, stride: stride, range: 12)
      let dp = generator.rows(rows, columns, stride: stride)
      let results = onEveryLevel([s, dp, s, dp]) {
        $0.softmax(&shape, first, isCausal ? 1 : 0, scale, $1[0], $1[2])
        $0.softmax_backward(&shape, first, isCausal ? 1 : 0, scale, $1[2], $1[1], $1[3])
      }
      for row in 0..<rows {
        let length = min(columns, first + (isCausal ? row : 0))
        let seen = row * stride..<row * stride + length
        let x = doubles(s[seen]), up = doubles(dp[seen])
        let p = softmax(x, scale: Double(scale))
        let range = 2 * 12 * Double(scale)
        let error = softmaxError(length, range: range)
        expectClose(results[2][seen], p, "p \(columns)") { error * p[$0] }
        let magnitude = dot(p, up.map(abs))
        let expected = gradient(at: x) { dot(softmax($0, scale: Double(scale)), up) }
        expectClose(results[3][seen], expected, "ds \(columns)") {
          differenceError
            + (2 * error + 6 * halfUlp + summationError(length)) * p[$0] * (abs(up[$0]) + magnitude)
        }
        for place in row * stride + length..<row * stride + columns {
          #expect(results[2][place].bitPattern == 0 && results[3][place].bitPattern == 0)
        }
        for place in row * stride + columns..<(row + 1) * stride {
          #expect(results[2][place] == untouched && results[3][place] == untouched)
        }
      }
    }
  }

  @Test("Lengths grow from row to row up to all columns, and may begin at none")
  func lengths() {
    var shape = BKRowShape(rows: 6, columns: 7, stride: 7)
    let s = [Float](repeating: 3, count: 42)
    let p = onEveryLevel([s]) { $0.softmax(&shape, 0, 2, 1, $1[0], $1[0]) }[0]
    for row in 0..<6 {
      let length = min(7, 2 * row)
      for column in 0..<7 {
        let expected = column < length ? 1 / Double(length) : 0
        #expect(abs(Double(p[7 * row + column]) - expected) <= halfUlp)
      }
    }
  }

  @Test("Rows with NaN or an infinite largest value become NaN; large values do not overflow")
  func specialRows() {
    let inf = Float.infinity
    let s: [Float] = [
      1, .nan, 2, 1, inf, 2, -inf, -inf, -inf, -inf, 0, -inf, 3e38, -3e38, 3e38,
    ]
    var shape = BKRowShape(rows: 5, columns: 3, stride: 3)
    let p = onEveryLevel([s]) { $0.softmax(&shape, 3, 0, 1, $1[0], $1[0]) }[0]
    #expect(p[0..<9].allSatisfy { $0.bitPattern == 0x7FC0_0000 })
    #expect(Array(p[9...]) == [0, 1, 0, 0.5, 0, 0.5])
  }

  @Test("Cross entropy and its derivative agree with double precision")
  func crossEntropy() {
    var generator = SeededGenerator(seed: 2)
    let weight: Float = 0.125
    for columns in 1...70 {
      let rows = 2, stride = columns + columns % 2
      let x = generator.rows(rows, columns, stride: stride, range: 8)
      let targets = (0..<rows).map { _ in Int32.random(in: 0..<Int32(columns), using: &generator) }
      var shape = BKRowShape(rows: rows, columns: columns, stride: stride)
      let results = onEveryLevel([x, x, [0, 0], x, [0, 0]]) {
        $0.cross_entropy(&shape, $1[0], targets, weight, $1[2], $1[1])
        $0.cross_entropy(&shape, $1[3], targets, weight, $1[4], nil)
      }
      #expect(results[2] == results[4])
      for row in 0..<rows {
        let places = row * stride..<row * stride + columns
        let target = Int(targets[row])
        func loss(_ x: [Double]) -> Double {
          let greatest = x.max() ?? 0
          return log(x.reduce(0) { $0 + exp($1 - greatest) }) + greatest - x[target]
        }
        let numbers = doubles(x[places]), expected = loss(numbers)
        let error = softmaxError(columns, range: 16)
        expectClose([results[2][row]], [expected]) { _ in
          error + halfUlp * (2 * log(Double(columns)) + 2 * 16 + expected)
        }
        let slopes = gradient(at: numbers) { loss($0) * Double(weight) }
        expectClose(results[1][places], slopes, "dx \(columns)") {
          let p = slopes[$0] / Double(weight) + ($0 == target ? 1 : 0)
          return Double(weight) * (error * p + 2 * halfUlp) + differenceError
        }
        #expect(results[1][(places.upperBound)..<(row + 1) * stride].allSatisfy { $0 == untouched })
      }
    }
  }

  @Test("Rows without a target have no loss and no derivatives")
  func ignoredTargets() {
    var shape = BKRowShape(rows: 2, columns: 3, stride: 3)
    let x: [Float] = [1, 2, .nan, 1, 1, 1]
    let results = onEveryLevel([x, [9, 9]]) {
      $0.cross_entropy(&shape, $1[0], [-1, 2], 1, $1[1], $1[0])
    }
    #expect(results[1][0] == 0)
    #expect(abs(results[1][1] - log(3)) < 1e-6)
    #expect(Array(results[0][0..<3]) == [0, 0, 0])
  }

  @Test("Rotations turn pairs by their angle, and the inverse turns them back")
  func rotations() {
    var generator = SeededGenerator(seed: 3)
    for half in 0...35 {
      let rows = 2, heads = 1 + half % 2, size = 2 * half, stride = heads * size + half % 3
      let x = generator.rows(rows, heads * size, stride: stride)
      let angles = generator.numbers(rows * half, range: 3)
      let cosines = angles.map { cos($0) }, sines = angles.map { sin($0) }
      var shape = BKRotation(
        rows: rows, heads: heads, size: size, stride: stride, table_stride: half)
      let results = onEveryLevel([x, cosines, sines, x]) {
        $0.rotate(&shape, false, $1[0], $1[1], $1[2], $1[0])
        $0.rotate(&shape, true, $1[3], $1[1], $1[2], $1[3])
      }
      for (result, sign) in [(results[0], 1.0), (results[3], -1.0)] {
        var expected = doubles(x)
        for row in 0..<rows {
          for head in 0..<heads {
            for i in 0..<half {
              let first = row * stride + head * size + i
              let a = Double(x[first]), b = Double(x[first + half])
              let c = Double(cosines[row * half + i]), s = sign * Double(sines[row * half + i])
              expected[first] = a * c - b * s
              expected[first + half] = a * s + b * c
            }
          }
        }
        // A rounded product below 2, and a rounded sum below 4.
        expectClose(result, expected) { x[$0] == untouched ? 0 : (2 + 4) * halfUlp }
      }
    }
  }
}
