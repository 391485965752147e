import CTrainingKernels
import FormatTestSupport
import Testing

@Suite("Kernels of sums, products and transposes")
struct ArithmeticKernelTests {
  @Test("Each result is the operation's own, rounded once")
  func elementwise() {
    var generator = SeededGenerator(seed: 1)
    for count in 0...70 {
      let a = generator.numbers(count), b = generator.numbers(count)
      let results = onEveryLevel([a, b, a, a, a, a]) {
        $0.add($1[0], $1[1], count, $1[2])
        $0.multiply($1[0], $1[1], count, $1[3])
        $0.scale($1[0], 0.3, count, $1[4])
        $0.add_scaled($1[1], 0.3, count, $1[5])
      }
      #expect(results[2] == zip(a, b).map { $0 + $1 })
      #expect(results[3] == zip(a, b).map { $0 * $1 })
      #expect(results[4] == a.map { $0 * 0.3 })
      #expect(results[5] == zip(a, b).map { $0.addingProduct(0.3, $1) })
    }
  }

  @Test("Sums of squares neither overflow nor lose what double precision keeps")
  func squares() {
    var generator = SeededGenerator(seed: 2)
    for count in 0...70 {
      let x = generator.numbers(count, range: 1.5e38)
      var sums: [Double] = []
      _ = onEveryLevel([x]) { sums.append($0.sum_of_squares($1[0], count)) }
      let expected = dot(doubles(x), doubles(x))
      #expect(sums.allSatisfy { $0 == sums[0] })
      #expect(abs(sums[0] - expected) <= Double(count) * 0x1p-52 * expected)
    }
  }

  @Test("Rows are added in order")
  func addedRows() {
    var generator = SeededGenerator(seed: 3)
    for columns in 0...70 {
      let rows = columns % 5, stride = columns + 3
      let x = generator.rows(rows, columns, stride: stride), start = generator.numbers(columns)
      var shape = BKRowShape(rows: rows, columns: columns, stride: stride)
      let sums = onEveryLevel([x, start]) { $0.add_rows(&shape, $1[0], $1[1]) }[1]
      var expected = start
      for row in 0..<rows {
        for column in 0..<columns { expected[column] += x[row * stride + column] }
      }
      #expect(sums == expected)
    }
  }

  @Test("Transposes move every bit, NaN among them, and leave gaps alone")
  func transposes() {
    var generator = SeededGenerator(seed: 4)
    for (rows, columns) in [
      (0, 5), (5, 0), (1, 1), (1, 70), (70, 1), (16, 16), (15, 17), (17, 15), (32, 48), (33, 47),
      (64, 31), (70, 70),
    ] {
      let stride = columns + 2, resultStride = rows + 1
      var x = (0..<rows * stride).map { _ in
        Float(bitPattern: UInt32.random(in: 0...(.max), using: &generator))
      }
      if !x.isEmpty && columns > 0 { x[0] = Float(bitPattern: 0xFFC1_2345) }
      let start = [Float](repeating: untouched, count: columns * resultStride)
      let y = onEveryLevel([x, start]) {
        $0.transpose($1[0], rows, columns, stride, $1[1], resultStride)
      }[1]
      for column in 0..<columns {
        let line = y[column * resultStride..<(column + 1) * resultStride].map(\.bitPattern)
        let expected = (0..<rows).map { x[$0 * stride + column].bitPattern }
        #expect(line == expected + [untouched.bitPattern])
      }
    }
  }
}
