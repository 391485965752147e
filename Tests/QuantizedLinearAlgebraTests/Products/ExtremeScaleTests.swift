import BlockFormats
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products whose scales leave FP32's range when they are multiplied")
struct ExtremeScaleTests {
  /// The one element of a product by the reference and by every level.
  private func product(_ a: QuantizedMatrix, _ b: QuantizedMatrix) throws -> Float {
    let expected = try referenceMatmul(a, transposed: b)
    for level in KernelLevel.supported {
      #expect(bits(try matmul(a, transposed: b, level: level)) == bits(expected), "\(level.id)")
    }
    return expected.elements[0]
  }

  private func format(_ id: String) throws -> any BlockFormat { try FormatCatalog.format(id: id) }

  @Test("Groups whose exact sum is zero add zero, whatever the scales")
  func zeroGroups() throws {
    // E2M1: 2 is 1 and 10 is -1. E8M0: 200 is 2^73.
    let a = try matrix(.mxfp4, rows: 1, codes: [2, 2], scales: [200])
    let b = try matrix(.mxfp4, rows: 1, codes: [2, 10], scales: [200])
    #expect(try product(a, b).bitPattern == 0)
    // The same from values.
    let x = QuantizedMatrix(Tensor([1e22, 1e22], shape: [1, 2]), format: .mxfp4)
    let y = QuantizedMatrix(Tensor([1e22, -1e22], shape: [1, 2]), format: .mxfp4)
    #expect(try product(x, y).bitPattern == 0)
    // Blocks of zeros with the largest scale, before one that counts.
    let ones = [UInt32](repeating: 2, count: 32), zeros = [UInt32](repeating: 0, count: 32)
    let c = try matrix(.mxfp4, rows: 1, codes: zeros + ones, scales: [254, 127])
    let d = try matrix(.mxfp4, rows: 1, codes: ones + ones, scales: [254, 127])
    #expect(try product(c, d) == 32)
  }

  @Test("Block scales from 2^-127 to 2^127 give the exact product where FP32 holds it")
  func powersOfTwo() throws {
    let e5m2 = try format("mxfp8_e5m2")
    // E5M2: 1 is 2^-16, 0x7B is 1.75 · 2^15.
    let small = try matrix(e5m2, rows: 1, codes: [1], scales: [127 + 70])
    #expect(try product(small, small) == 0x1p108)
    let large = try matrix(
      e5m2, rows: 1, codes: [UInt32](repeating: 0x7B, count: 32), scales: [127 - 80])
    #expect(try product(large, large) == 0x1.88p-124)
    // 2^-127 · 2^-127 · 6 · 6 is far below the smallest number; both largest are above the largest.
    let least = try matrix(.mxfp4, rows: 1, codes: [7], scales: [0])
    #expect(try product(least, least).bitPattern == 0)
    let negative = try matrix(.mxfp4, rows: 1, codes: [15], scales: [0])
    #expect(try product(least, negative).bitPattern == Float(-0.0).bitPattern)
    let most = try matrix(.mxfp4, rows: 1, codes: [7], scales: [254])
    #expect(try product(most, most) == .infinity)
    #expect(try product(most, least) == 36)
  }

  @Test("FP32 scales keep their 24 bits where their product is subnormal")
  func floatScales() throws {
    let scale: Float = 0x1.fffffep-70
    let a = try matrix(
      try format("int8_row"), rows: 1, codes: [UInt32](repeating: 127, count: 64),
      scales: [scale.bitPattern])
    // (2 - 2^-23)² rounded to 24 bits is 4 - 2^-21.
    let expected = Float(Double(64 * 127 * 127) * (4 - 0x1p-21) * 0x1p-140)
    #expect(try product(a, a) == expected)
  }

  @Test("The unit of integers loses no bit of a scale")
  func units() throws {
    // Integers are halves: a scale of 3 · 2^-149 has no FP32 number for its half.
    let id = "scaled(element=e2m1fn,block=16,scale=fp32)"
    let a = try matrix(
      try format(id), rows: 1, codes: [2], scales: [Float(0x1.8p-148).bitPattern])
    let b = try matrix(
      try format(id), rows: 1, codes: [2], scales: [Float(0x1p120).bitPattern])
    #expect(try product(a, b) == 0x1.8p-28)
    #expect(try product(b, a) == 0x1.8p-28)
  }

  @Test("Elements with any bias multiply without a trap")
  func biases() throws {
    for (bias, expected) in [(1000, Float(0)), (136, 0), (-400, .infinity), (400, 0)] {
      let element = try format("mx(element=float(e=3,m=1,bias=\(bias),specials=none))")
      let a = try matrix(element, rows: 1, codes: [2, 15, 0], scales: [127])
      #expect(try product(a, a) == expected, "\(bias)")
      for accumulator in Accumulator.standard {
        let sum = try referenceMatmul(a, transposed: a, accumulator: accumulator).elements[0]
        #expect(sum == expected, "\(bias) \(accumulator.id)")
      }
    }
  }

  @Test("Tensor scales keep their 24 bits where their product underflows or overflows")
  func tensorScales() throws {
    // UE4M3: 0x7E is 448. Every sum is 16 · 36 · 448².
    func tensor(_ scale: Float) throws -> QuantizedMatrix {
      try matrix(
        .nvfp4, rows: 1, codes: [UInt32](repeating: 7, count: 16), scales: [0x7E],
        tensorScale: scale)
    }
    let sum = Float(16 * 36 * 448 * 448)
    for (x, y) in [(1.3e-23, 1.3e-23), (4e-23, 3e-23), (0x1p-126, 0x1p-30)] as [(Float, Float)] {
      let scale = ScaleProduct(x, y)
      #expect(scale.value < 0x1p-126)
      let expected = Float(Double(sum) * scale.value)
      #expect(expected > 0)
      #expect(try product(tensor(x), tensor(y)) == expected, "\(x) \(y)")
    }
    let none = try matrix(
      .nvfp4, rows: 1, codes: [UInt32](repeating: 0, count: 16), scales: [0x7E], tensorScale: 1e30)
    #expect(try product(none, none).bitPattern == 0)
  }

  /// Powers of two that both operands are multiplied by.
  private static let exponents = [
    (-60, -60), (-66, -61), (-100, 60), (80, -110), (-120, 118), (118, -125), (62, 50), (-75, -68),
  ]

  @Test("The result stays within its roundings of the exact sum", arguments: FormatPair.all)
  func bounds(pair: FormatPair) throws {
    let depth = 70
    let definition = try ProductDefinition(
      a: .quantized(pair.a), b: .quantized(pair.b), depth: depth)
    guard definition.unit != .float32 else { return }
    for (seed, (left, right)) in Self.exponents.enumerated() {
      let a = QuantizedMatrix(
        sample([1, depth], seed: UInt64(seed), exponents: left - 1...left + 1), format: pair.a)
      let b = QuantizedMatrix(
        sample([1, depth], seed: UInt64(seed) + 99, exponents: right - 1...right + 1),
        format: pair.b)
      let exact = Double(
        try referenceMatmul(a, transposed: b, accumulator: .exact).elements[0])
      let result = Double(try product(a, b))
      guard exact.isFinite else { continue }
      let bound = bound(a, b, definition)
      guard bound < .infinity else { continue }
      #expect(abs(result - exact) <= bound, "2^\(left), 2^\(right): \(result), \(exact)")
    }
  }

  /// How far a result may be from the exact sum, which takes three roundings to FP32 itself.
  ///
  /// A product of elements is a part of at most n sums of its group, of the group's dot product once
  /// more, of the product of scales, of as many sums as there are groups, of the product of tensor
  /// scales and of the result: each moves it by 2^-24 of its size, or by half of the smallest number.
  /// Infinite where dot products may be.
  private func bound(
    _ a: QuantizedMatrix, _ b: QuantizedMatrix, _ definition: ProductDefinition
  ) -> Double {
    let x = FactoredMatrix(
      a, groupLength: definition.groupLength, unitExponent: definition.unitExponents.a)
    let y = FactoredMatrix(
      b, groupLength: definition.groupLength, unitExponent: definition.unitExponents.b)
    let unit = Double.scaled(1, byPowerOfTwo: definition.scaleExponent)
    var magnitude = 0.0
    var flushed = 0.0
    var dot = 0.0
    for index in x.elements.indices {
      let group = index / definition.groupLength
      let scale = Double(x.scales[group]) * Double(y.scales[group]) * unit
      magnitude += abs(x.elements[index] * y.elements[index]) * scale
      dot += abs(x.elements[index] * y.elements[index])
      // A subnormal element or sum that becomes zero.
      if definition.canFlush {
        flushed += (abs(x.elements[index]) + abs(y.elements[index]) + 1) * 0x1p-126 * scale
      }
    }
    // Elements with the range of FP32 have sums beyond it.
    guard dot < 0x1p127 else { return .infinity }
    let tensor = Double(x.tensorScale) * Double(y.tensorScale)
    let length = definition.unit.isExact ? 0 : definition.groupLength
    let roundings = Double(length + definition.groupCount + 4 + 3)
    let subnormal = 0x1p-150 * (Double(definition.groupCount + 1) * tensor + 2)
    // One per cent for products of roundings.
    return 1.01 * (roundings * 0x1p-24 * magnitude * tensor + flushed * tensor + subnormal)
  }
}
