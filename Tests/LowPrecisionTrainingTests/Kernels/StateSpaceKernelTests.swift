import CTrainingKernels
import FormatTestSupport
import Foundation
import Testing

@Suite("Kernels of state-space models")
struct StateSpaceKernelTests {
  @Test("Rows are scaled, with and without what is there, and multiplied with each other")
  func rows() {
    var generator = SeededGenerator(seed: 1)
    for columns in 0...70 {
      let rows = 1 + columns % 3, (xStride, yStride) = (columns + 1, columns + columns % 2)
      let x = generator.rows(rows, columns, stride: xStride)
      let y = generator.rows(rows, columns, stride: yStride)
      let factors = generator.numbers(rows)
      var shape = BKRowPair(
        rows: rows, columns: columns, x_stride: xStride, y_stride: yStride)
      let results = onEveryLevel([x, factors, y, y, y, factors]) {
        $0.scale_rows(&shape, $1[1], $1[0], false, $1[2])
        $0.scale_rows(&shape, $1[1], $1[0], true, $1[3])
        $0.dot_rows(&shape, $1[0], $1[4], $1[5])
      }
      for row in 0..<rows {
        let factor = factors[row]
        for column in 0..<yStride {
          let place = row * yStride + column
          guard column < columns else {
            #expect(results[2][place] == untouched && results[3][place] == untouched)
            continue
          }
          let number = x[row * xStride + column]
          #expect(results[2][place] == factor * number)
          #expect(results[3][place] == y[place].addingProduct(factor, number))
        }
        let products = (0..<columns).map {
          Double(x[row * xStride + $0]) * Double(y[row * yStride + $0])
        }
        let magnitude = products.reduce(0) { $0 + abs($1) }
        expectClose([results[5][row]], [products.reduce(0, +)]) { _ in
          summationError(columns) * magnitude
        }
      }
    }
  }

  @Test("Products are fused chains in order, whatever their extents and however A lies")
  func products() {
    var generator = SeededGenerator(seed: 2)
    for index in 0..<60 {
      let (rows, columns, depth) = (index % 21, index * 7 % 50, index * 11 % 9)
      let isTurned = index % 2 == 1
      let (aStride, bStride, yStride) = (
        (isTurned ? rows : depth) + 1, columns + 2, columns + index % 3
      )
      let a = generator.numbers((isTurned ? depth : rows) * aStride)
      let b = generator.rows(depth, columns, stride: bStride)
      let y = generator.rows(rows, columns, stride: yStride)
      var shape = BKProduct(
        rows: rows, columns: columns, depth: depth, a_row: isTurned ? 1 : aStride,
        a_step: isTurned ? aStride : 1, b_stride: bStride, y_stride: yStride)
      let results = onEveryLevel([a, b, y, y]) {
        $0.product(&shape, $1[0], $1[1], false, $1[2])
        $0.product(&shape, $1[0], $1[1], true, $1[3])
      }
      for place in 0..<rows * yStride {
        let (row, column) = (place / yStride, place % yStride)
        var (fresh, added) = column < columns ? (0, y[place]) : (untouched, untouched)
        for k in 0..<depth where column < columns {
          let number = isTurned ? a[k * aStride + row] : a[row * aStride + k]
          fresh.addProduct(number, b[k * bStride + column])
          added.addProduct(number, b[k * bStride + column])
        }
        #expect(results[2][place] == fresh && results[3][place] == added)
      }
    }
  }

  @Test("Decays are exact to a few roundings beside far stronger ones, and 0 for later steps")
  func decays() {
    var generator = SeededGenerator(seed: 3)
    for steps in 0...64 {
      // A strong step in the middle, after which single FP32 sums would have lost six digits.
      let exponents = (0..<steps).map { step in
        step == steps / 2 ? -128 : Double(generator.numbers(1, range: 0.5)[0]) - 0.5
      }
      let exact = exponents.indices.map { exponents[0...$0].reduce(0, +) }
      let sums = exact.map { Float($0) }
      let rests = zip(exact, sums).map { Float($0 - Double($1)) }
      let result = onEveryLevel([sums, rests, [Float](repeating: 9, count: steps * steps)]) {
        $0.decays($1[0], $1[1], steps, $1[2])
      }[2]
      let expected = (0..<steps * steps).map { place -> Double in
        let (l, s) = (place / steps, place % steps)
        return s <= l ? exp(exact[l] - exact[s]) : 0
      }
      // Two rounded differences and their sum, of exponents whose exponentials do not vanish; 1.1 ulp
      // are at most 2.2 halves of one. Sums of two numbers hold 48 bits.
      expectClose(result, expected, "\(steps)") {
        expected[$0] * (3 * 64 + 2.2) * halfUlp + 0x1p-149
      }
      for place in result.indices where place % max(steps, 1) > place / max(steps, 1) {
        #expect(result[place].bitPattern == 0)
      }
    }
  }

  @Test("Derivatives by scores and exponents agree with central differences")
  func derivatives() {
    var generator = SeededGenerator(seed: 4)
    for steps in [0, 1, 2, 15, 16, 17, 33, 64] {
      let exponents = generator.numbers(steps, range: 0.05).map { Double($0) - 0.05 }
      let g = generator.numbers(steps * steps), dm = generator.numbers(steps * steps)
      let before = generator.numbers(steps * steps)
      func decays(_ exponents: [Double]) -> [Double] {
        (0..<steps * steps).map { place in
          let (l, s) = (place / steps, place % steps)
          return s > l ? 0 : exp(s == l ? 0 : exponents[s + 1...l].reduce(0, +))
        }
      }
      let decay = decays(exponents).map { Float($0) }
      let results = onEveryLevel([g, decay, dm, before, [Float](repeating: 9, count: steps)]) {
        $0.decays_backward($1[0], $1[1], $1[2], steps, $1[3], $1[4])
      }
      let dg = decay.indices.map { place -> Double in
        Double(before[place]) + Double(dm[place]) * Double(decay[place])
      }
      // A product and a sum of numbers of at most 2 and 4.
      expectClose(results[3], dg) { _ in (2 + 4) * halfUlp }
      // The derivative of Σ dm g L by exponent i has the terms l ≥ i, s < i.
      let terms = zip(zip(dm, g), decays(exponents)).map { Double($0.0) * Double($0.1) * $1 }
      for i in 0..<steps {
        let places = (i..<steps).flatMap { l in (0..<i).map { l * steps + $0 } }
        let expected = places.reduce(0) { $0 + terms[$1] }
        let magnitude = places.reduce(0) { $0 + abs(terms[$1]) }
        // L and two products are rounded; a lane adds up to 64 rows, then 4 vectors and 4 halves.
        let error = Double(3 + steps + 8) * halfUlp * magnitude
        #expect(abs(Double(results[4][i]) - expected) <= error)
      }
    }
  }
}
