import FormatTestSupport
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Random Hadamard transform")
struct HadamardTransformTests {
  /// The signs that TransformerEngine has built in.
  static let published: [Float] = [1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1]

  static func random(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
  }

  static func signs(_ length: Int, seed: UInt32 = 9) -> [Float] {
    RandomStreams(seed: seed).signs(count: length)
  }

  @Test("The worked example with the published signs comes out")
  func workedExample() {
    let transform = HadamardTransform(signs: Self.published)
    let result = transform.transformed((1...16).map(Float.init), rows: 1, columns: 16, axis: 1)
    #expect(
      result == [
        -15.5, -7.5, 7.5, -0.5, 7.5, -0.5, -15.5, 8.5, 8.5, 16.5, 1.5, 1.5, 1.5, -2.5, 10.5, -17.5,
      ])
    var unit = [Float](repeating: 0, count: 16)
    unit[3] = 1
    let pattern: [Float] = [-0.25, 0.25, 0.25, -0.25]
    #expect(
      transform.transformed(unit, rows: 1, columns: 16, axis: 1)
        == pattern + pattern + pattern + pattern)
  }

  @Test("Entry (i, j) is -1 to the number of ones that i and j share, at every length")
  func entries() {
    for length in OperandTransform.lengths {
      let transform = HadamardTransform(length: length)
      var identity = [Float](repeating: 0, count: length * length)
      for index in 0..<length { identity[index * length + index] = 1 }
      let matrix = transform.transformed(identity, rows: length, columns: length, axis: 1)
      let factor = Float(1 / Double(length).squareRoot())
      for row in 0..<length {
        for column in 0..<length {
          let isNegative = (row & column).nonzeroBitCount % 2 == 1
          #expect(matrix[row * length + column] == (isNegative ? -factor : factor))
        }
      }
    }
  }

  @Test("Along rows and along columns the bits are the same, at every length and tail")
  func axes() {
    for length in OperandTransform.lengths {
      let transform = HadamardTransform(signs: Self.signs(length))
      for count in [1, 2, 3, length - 1, length, length + 1, 2 * length + 7] {
        let rows = 11
        let values = Self.random(rows * count, seed: UInt64(length + count))
        var turned = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
          for column in 0..<count { turned[column * rows + row] = values[row * count + column] }
        }
        for direction in HadamardTransform.Direction.allCases {
          let along = transform.transformed(
            values, rows: rows, columns: count, axis: 1, direction: direction)
          let down = transform.transformed(
            turned, rows: count, columns: rows, axis: 0, direction: direction)
          let isEqual = (0..<rows).allSatisfy { row in
            (0..<count).allSatisfy {
              along[row * count + $0].bitPattern == down[$0 * rows + row].bitPattern
            }
          }
          #expect(isEqual, "\(length) over \(count)")
        }
      }
    }
  }

  @Test("Butterflies run from neighbours outward, each one FP32 operation")
  func order() {
    for length in [8, 16, 32] {
      let values = Self.random(length, seed: 3)
      let signs = Self.signs(length)
      var expected = zip(values, signs).map { $0 * $1 }
      var distance = 1
      while distance < length {
        for index in 0..<length where index & distance == 0 {
          let (a, b) = (expected[index], expected[index + distance])
          expected[index] = a + b
          expected[index + distance] = a - b
        }
        distance *= 2
      }
      expected = expected.map { $0 * Float(1 / Double(length).squareRoot()) }
      let result = HadamardTransform(signs: signs)
        .transformed(values, rows: 1, columns: length, axis: 1)
      #expect(result.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }

  @Test("A tail is cut into powers of two, the largest first, each with the first signs")
  func tails() {
    let transform = HadamardTransform(signs: Self.published)
    let values = Self.random(29, seed: 4)
    let whole = transform.transformed(values, rows: 1, columns: 29, axis: 1)
    var parts: [Float] = []
    for (start, length) in [(0, 16), (16, 8), (24, 4)] {
      parts += HadamardTransform(signs: Array(Self.published[..<length]))
        .transformed(Array(values[start..<start + length]), rows: 1, columns: length, axis: 1)
    }
    #expect(whole == parts + [values[28] * Self.published[0]])
  }

  @Test("Integers rotated by 16 points on both sides have exactly the product they had")
  func exactProduct() {
    // Sums of 16 integers below 2^12 and quarters of them are exact in FP32, and so is their
    // product's sum in Double. The tails, of 4 and 1, have exact factors too.
    var generator = SeededGenerator(seed: 5)
    for count in [16, 48, 160, 20, 85] {
      let transform = HadamardTransform(signs: Self.signs(16))
      func integers() -> [Float] {
        (0..<count).map { _ in Float(Int.random(in: -4095...4095, using: &generator)) }
      }
      let (a, b) = (integers(), integers())
      #expect(Self.dot(a, b) == Self.dot(rotated(a, transform), rotated(b, transform)))
    }
  }

  /// The bound is derived as follows.
  ///
  /// With unit round-off u, each of the k stages of butterflies and the multiplication by the factor
  /// err by at most u relative to their result's norm, and the factor itself by u: the rotation
  /// errs by at most ε = (1 + u)^(k + 2) - 1 times the norm. So the product of two rotated vectors
  /// is within (2ε + ε²) |a| |b| of the product of the vectors. Tails have fewer stages.
  @Test("Any values rotated on both sides keep their product within the bound of FP32 rounding")
  func boundedProduct() {
    let unit = Double(Float.ulpOfOne) / 2
    for length in OperandTransform.lengths {
      let stages = length.trailingZeroBitCount
      let error = (0..<stages + 2).reduce(1.0) { product, _ in product * (1 + unit) } - 1
      for count in [length, 3 * length, 3 * length - 1] {
        let transform = HadamardTransform(signs: Self.signs(length))
        let (a, b) = (Self.random(count, seed: 6), Self.random(count, seed: 7))
        let bound = (2 * error + error * error) * (Self.dot(a, a) * Self.dot(b, b)).squareRoot()
        let product = Self.dot(rotated(a, transform), rotated(b, transform))
        // The sums in Double err by far less than a thousandth of the bound.
        #expect(abs(product - Self.dot(a, b)) <= bound * 1.001, "\(length) over \(count)")
      }
    }
  }

  @Test("The transpose undoes the transform")
  func inverse() {
    for (length, count) in [(16, 45), (32, 95), (128, 300)] {
      let transform = HadamardTransform(signs: Self.signs(length))
      let values = Self.random(count, seed: 8)
      let back = transform.transformed(
        rotated(values, transform), rows: 1, columns: count, axis: 1, direction: .transposed)
      for (a, b) in zip(values, back) { #expect(abs(a - b) < 4e-6) }
      let integers = (0..<length).map { Float($0 * $0 % 101) }
      let again = transform.transformed(
        rotated(integers, transform), rows: 1, columns: length, axis: 1, direction: .transposed)
      if length == 16 { #expect(again == integers) }
    }
  }

  @Test("Source and result may be the same memory, and nothing outside is written")
  func inPlace() {
    let transform = HadamardTransform(signs: Self.signs(16))
    for (rows, columns) in [(5, 37), (37, 5)] {
      for axis in [0, 1] {
        let values = Self.random(rows * columns, seed: 10)
        let expected = transform.transformed(values, rows: rows, columns: columns, axis: axis)
        var guarded = [7, 7] + values + [7, 7]
        guarded.withUnsafeMutableBufferPointer { buffer in
          let inner = UnsafeMutableBufferPointer(rebasing: buffer[2..<2 + values.count])
          transform.transform(
            UnsafeBufferPointer(inner), into: inner, rows: rows, columns: columns, axis: axis)
        }
        #expect(guarded == [7, 7] + expected + [7, 7])
      }
    }
    #expect(transform.transformed([], rows: 0, columns: 16, axis: 1).isEmpty)
  }

  @Test("A recipe's transform has no signs, those of the run, or those of the step")
  func fromRecipes() {
    let streams = RandomStreams(seed: 11)
    func signs(_ signs: OperandTransform.Signs, step: Int) -> [Float] {
      OperandTransform(length: 32, signs: signs).hadamard(streams, step: step).signs
    }
    #expect(signs(.positive, step: 4) == [Float](repeating: 1, count: 32))
    #expect(signs(.perRun, step: 4) == streams.signs(count: 32))
    #expect(signs(.perRun, step: 4) == signs(.perRun, step: 5))
    #expect(signs(.perStep, step: 4) == streams.signs(count: 32, step: 4))
    #expect(signs(.perStep, step: 4) != signs(.perStep, step: 5))
  }

  private func rotated(_ values: [Float], _ transform: HadamardTransform) -> [Float] {
    transform.transformed(values, rows: 1, columns: values.count, axis: 1)
  }

  static func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}
