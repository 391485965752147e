import CTrainingKernels
import FormatTestSupport
import Testing

@Suite("Kernels of norms")
struct NormKernelTests {
  private let epsilon: Float = 1e-3

  private func rms(_ x: [Double], _ w: [Double]) -> (y: [Double], inverse: Double) {
    let inverse = 1 / (dot(x, x) / Double(x.count) + Double(epsilon)).squareRoot()
    return (x.indices.map { x[$0] * inverse * w[$0] }, inverse)
  }

  private func layer(
    _ x: [Double], _ w: [Double], _ b: [Double]
  ) -> (y: [Double], mean: Double, inverse: Double) {
    let mean = x.reduce(0, +) / Double(x.count)
    let centered = x.map { $0 - mean }
    let inverse = 1 / (dot(centered, centered) / Double(x.count) + Double(epsilon)).squareRoot()
    return (x.indices.map { centered[$0] * inverse * w[$0] + b[$0] }, mean, inverse)
  }

  @Test("RMS norms and their derivatives agree with double precision")
  func rmsNorm() {
    var generator = SeededGenerator(seed: 1)
    for columns in 1...70 {
      let rows = 2, stride = columns + columns % 2
      let x = generator.rows(rows, columns, stride: stride)
      let dy = generator.rows(rows, columns, stride: stride)
      let w = generator.numbers(columns), dw = generator.numbers(columns)
      var shape = BKRowShape(rows: rows, columns: columns, stride: stride)
      let results = onEveryLevel([x, w, x, [0, 0], dy, dy, dw]) {
        $0.rms_norm(&shape, $1[0], $1[1], epsilon, $1[2], $1[3])
        $0.rms_norm_backward(&shape, $1[0], $1[1], $1[3], $1[4], $1[5], $1[6])
      }
      // Half the sum's error, and those of the division, root, reciprocal and two products.
      let error = summationError(columns) / 2 + 6 * halfUlp
      var weightSums = doubles(dw), weightBounds = weightSums.map { 4 * halfUlp * abs($0) }
      for row in 0..<rows {
        let places = row * stride..<row * stride + columns
        let numbers = doubles(x[places]), up = doubles(dy[places]), weights = doubles(w)
        let (y, inverse) = rms(numbers, weights)
        expectClose(results[2][places], y, "y \(columns)") { error * abs(y[$0]) }
        expectClose([results[3][row]], [inverse]) { _ in error * inverse }
        let expected = gradient(at: numbers) { dot(up, rms($0, weights).y) }
        let g = zip(up, weights).map(*)
        let mean = dot(g.map(abs), numbers.map { abs($0 * inverse) }) / Double(columns)
        expectClose(results[5][places], expected, "dx \(columns)") {
          let h = abs(numbers[$0]) * inverse
          return (4 * error + summationError(columns)) * inverse * (abs(g[$0]) + h * mean)
            + differenceError * inverse * (1 + inverse)
        }
        for i in 0..<columns {
          weightSums[i] += up[i] * numbers[i] * inverse
          weightBounds[i] += (error + 4 * halfUlp) * abs(up[i] * numbers[i] * inverse)
        }
        #expect(results[2][places.upperBound..<(row + 1) * stride].allSatisfy { $0 == untouched })
        #expect(results[5][places.upperBound..<(row + 1) * stride].allSatisfy { $0 == untouched })
      }
      expectClose(results[6], weightSums, "dw \(columns)") { weightBounds[$0] }
    }
  }

  @Test("Layer norms and their derivatives agree with double precision")
  func layerNorm() {
    var generator = SeededGenerator(seed: 2)
    for columns in 2...70 {
      let rows = 2, stride = columns + columns % 2
      let x = generator.rows(rows, columns, stride: stride)
      let dy = generator.rows(rows, columns, stride: stride)
      let w = generator.numbers(columns), b = generator.numbers(columns)
      let dw = generator.numbers(columns), db = generator.numbers(columns)
      var shape = BKRowShape(rows: rows, columns: columns, stride: stride)
      let results = onEveryLevel([x, w, b, x, [0, 0], [0, 0], dy, dy, dw, db]) {
        $0.layer_norm(&shape, $1[0], $1[1], $1[2], epsilon, $1[3], $1[4], $1[5])
        $0.layer_norm_backward(
          &shape, $1[0], $1[1], $1[4], $1[5], $1[6], $1[7], $1[8], $1[9])
      }
      let error = summationError(columns) + 10 * halfUlp
      var weightSums = doubles(dw), weightBounds = weightSums.map { 4 * halfUlp * abs($0) }
      var biasSums = doubles(db)
      for row in 0..<rows {
        let places = row * stride..<row * stride + columns
        let numbers = doubles(x[places]), up = doubles(dy[places])
        let weights = doubles(w), biases = doubles(b)
        let (y, mean, inverse) = layer(numbers, weights, biases)
        // Of the mean, in units of h: magnitudes are at most 2.
        let shift = (summationError(columns) + 2 * halfUlp) * 2 * inverse
        let h = numbers.map { ($0 - mean) * inverse }
        expectClose(results[3][places], y, "y \(columns)") {
          abs(weights[$0]) * (shift + error * abs(h[$0])) + halfUlp * abs(y[$0])
        }
        expectClose([results[4][row]], [mean]) { _ in summationError(columns) * 2 }
        expectClose([results[5][row]], [inverse]) { _ in (error + shift) * inverse }
        let expected = gradient(at: numbers) { dot(up, layer($0, weights, biases).y) }
        let g = zip(up, weights).map(*)
        let meanG = g.map(abs).reduce(0, +) / Double(columns)
        let meanGH = dot(g.map(abs), h.map { abs($0) + shift }) / Double(columns)
        expectClose(results[7][places], expected, "dx \(columns)") {
          let size = abs(g[$0]) + meanG + (abs(h[$0]) + shift) * meanGH
          let moved = shift * (meanGH + (abs(h[$0]) + shift) * meanG)
          return inverse * (4 * (error + shift) * size + moved)
            + differenceError * inverse * (1 + inverse * inverse)
        }
        for i in 0..<columns {
          weightSums[i] += up[i] * h[i]
          weightBounds[i] += abs(up[i]) * (shift + (error + 4 * halfUlp) * abs(h[i]))
          biasSums[i] += up[i]
        }
      }
      expectClose(results[8], weightSums, "dw \(columns)") { weightBounds[$0] }
      expectClose(results[9], biasSums, "db \(columns)") { _ in 2 * 8 * halfUlp }
    }
  }

  @Test("Without weights and biases they are 1 and 0")
  func absentWeights() {
    var generator = SeededGenerator(seed: 3)
    let x = generator.numbers(37), dy = generator.numbers(37)
    let ones = [Float](repeating: 1, count: 37), zeros = [Float](repeating: 0, count: 37)
    var shape = BKRowShape(rows: 1, columns: 37, stride: 37)
    let r = onEveryLevel([x, dy, ones, zeros, [0, 0], x, x, x, x, x, x, x, x]) {
      let (mean, inverse) = ($1[4], $1[4] + 1)
      $0.rms_norm(&shape, $1[0], $1[2], epsilon, $1[5], inverse)
      $0.rms_norm(&shape, $1[0], nil, epsilon, $1[6], inverse)
      $0.rms_norm_backward(&shape, $1[0], $1[2], inverse, $1[1], $1[7], $1[3])
      $0.rms_norm_backward(&shape, $1[0], nil, inverse, $1[1], $1[8], nil)
      $0.scale($1[3], 0, 37, $1[3])
      $0.layer_norm(&shape, $1[0], $1[2], $1[3], epsilon, $1[9], mean, inverse)
      $0.layer_norm(&shape, $1[0], nil, nil, epsilon, $1[10], mean, inverse)
      $0.layer_norm_backward(&shape, $1[0], $1[2], mean, inverse, $1[1], $1[11], $1[3], $1[3])
      $0.layer_norm_backward(&shape, $1[0], nil, mean, inverse, $1[1], $1[12], nil, nil)
    }
    for pair in [(5, 6), (7, 8), (9, 10), (11, 12)] { #expect(r[pair.0] == r[pair.1]) }
  }
}
