import BlockFormats
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("The tensor-core model")
struct TensorCoreTests {
  static func sum(
    _ a: [Float], _ b: [Float], _ rounding: TensorCoreModel.Rounding, promotionInterval: Int = 8
  ) throws -> Float {
    let model = TensorCoreModel(
      groupLength: 4, fractionBits: 3, rounding: rounding, promotionInterval: promotionInterval)
    let format = CastFormat.cast(to: .e4m3fn)
    return try referenceMatmul(
      cast(format, a), transposed: cast(format, b), accumulator: .tensorCore(model)
    ).elements[0]
  }

  static func sum(_ a: [Float], _ rounding: TensorCoreModel.Rounding) throws -> Float {
    try sum(a, Array(repeating: 1, count: a.count), rounding)
  }

  @Test("Products lose what lies below the bits kept of the largest, as computed by hand")
  func alignment() throws {
    // e = 3, multiples of 1: 8 + 1 + 1 - 0 = 10.
    let first: [Float] = [8, 1.125, 1, -0.5]
    #expect(try Self.sum(first, .truncate) == 10)
    #expect(try Self.sum(first, .nearestEven) == 10)
    // The accumulator keeps e at 3: 0.875 becomes 0 or 1.
    let second = first + [0.875, 0.875, 0.875, 0.875]
    #expect(try Self.sum(second, .truncate) == 10)
    #expect(try Self.sum(second, .nearestEven) == 14)
    // After the promotion at 8 elements e = -1, and nothing is lost of 3.5.
    let third = second + [0.875, 0.875, 0.875, 0.875]
    #expect(try Self.sum(third, .truncate) == 13.5)
    #expect(try Self.sum(third, .nearestEven) == 17.5)
  }

  @Test("The sum keeps as many bits behind its leading one, with its own rounding")
  func normalization() throws {
    // 19 = 0b10011.
    #expect(try Self.sum([13, 6], .truncate) == 18)
    #expect(try Self.sum([13, 6], .nearestEven) == 20)
    #expect(try Self.sum([-13, -6], .truncate) == -18)
    #expect(try Self.sum([13, 4], .truncate) == 16)
    #expect(try Self.sum([13, 4], .nearestEven) == 16)
  }

  @Test("The exponent of a product is the sum of its factors', with a significand up to 4")
  func exponents() throws {
    // 2.25 counts as 2^0, so that multiples of 1/8 are kept.
    let (a, b): ([Float], [Float]) = ([1.5, 0.125, 0.125], [1.5, 1, 1])
    #expect(try Self.sum(a, b, .truncate) == 2.5)
  }

  @Test("Scale groups promote early, with their scales in FP32")
  func scaleGroups() throws {
    // Each block's sum is exact alone; together in one accumulator 1 would be lost.
    let codes = [UInt32(2)] + Array(repeating: UInt32(0), count: 31)
    let a = try matrix(.mxfp4, rows: 1, codes: codes + codes, scales: [127 + 10, 127])
    let b = try matrix(.mxfp4, rows: 1, codes: codes + codes, scales: [127, 127])
    let model = TensorCoreModel(
      groupLength: 64, fractionBits: 3, rounding: .truncate, promotionInterval: 64)
    #expect(
      try referenceMatmul(a, transposed: b, accumulator: .tensorCore(model)).elements[0] == 1025)
  }

  @Test("The model agrees with one in integers, for formats of every unit")
  func integerModel() throws {
    let models = [
      TensorCoreModel.hopperFP8Like,
      TensorCoreModel(
        groupLength: 4, fractionBits: 3, rounding: .nearestEven, promotionInterval: 8),
      TensorCoreModel(
        groupLength: 16, fractionBits: 25, rounding: .truncate, promotionInterval: 1 << 20),
      TensorCoreModel(
        groupLength: 1, fractionBits: 7, rounding: .nearestEven, promotionInterval: 5),
      TensorCoreModel(
        groupLength: 8, fractionBits: 10, rounding: .truncate, promotionInterval: 24),
    ]
    for pair in AccumulatorTests.pairs {
      for (seed, depth) in [1, 33, 128, 300].enumerated() {
        let (a, b) = try AccumulatorTests.matrices(pair, depth: depth, seed: UInt64(seed) + 200)
        let rows = try AccumulatorTests.Rows(a, b)
        for model in models {
          let expected = try integerSum(rows, model)
          let sum = try AccumulatorTests.sum(a, b, .tensorCore(model))
          #expect(sum.bitPattern == expected.bitPattern, "\(pair) \(model.id) \(depth)")
        }
      }
    }
  }

  /// The model in multiples of 2^-80, with divisions in place of shifts.
  private func integerSum(_ rows: AccumulatorTests.Rows, _ model: TensorCoreModel) throws -> Float {
    let point = 80
    func rounded(_ x: Int128, toMultipleOf exponent: Int) -> Int128 {
      guard exponent > -point else { return x }
      let step = Int128(1) << Int128(point + exponent)
      let (quotient, remainder) = x.quotientAndRemainder(dividingBy: step)
      var result = quotient
      if model.rounding == .nearestEven {
        let twice = 2 * remainder.magnitude
        if twice > step.magnitude || twice == step.magnitude && !quotient.isMultiple(of: 2) {
          result += x < 0 ? -1 : 1
        }
      }
      return result * step
    }
    func exponent(_ x: Int128) -> Int { 127 - x.magnitude.leadingZeroBitCount - point }

    var y: Float = 0
    for (group, scale) in rows.scales.enumerated() {
      var pending = Array(rows.range(group))
      while !pending.isEmpty {
        var interval = Array(pending.prefix(model.promotionInterval))
        pending.removeFirst(interval.count)
        var accumulator: Int128 = 0
        while !interval.isEmpty {
          let step = Array(interval.prefix(model.groupLength))
          interval.removeFirst(step.count)
          let products = try step.map { index in
            let product = Double.scaled(rows.a[index] * rows.b[index], byPowerOfTwo: point)
            return try #require(Int128(exactly: product))
          }
          var exponents = zip(step, products).filter { $1 != 0 }.map { index, _ in
            Int(rows.a[index].exponent) + Int(rows.b[index].exponent)
          }
          if accumulator != 0 { exponents.append(exponent(accumulator)) }
          guard let greatest = exponents.max() else { continue }
          let sum = ([accumulator] + products).reduce(0) {
            $0 + rounded($1, toMultipleOf: greatest - model.fractionBits)
          }
          accumulator =
            sum == 0 ? 0 : rounded(sum, toMultipleOf: exponent(sum) - model.fractionBits)
        }
        let promoted = Float(Double.scaled(Double(accumulator), byPowerOfTwo: -point))
        y = y.addingProduct(promoted, scale.a * scale.b)
      }
    }
    return y
  }
}
