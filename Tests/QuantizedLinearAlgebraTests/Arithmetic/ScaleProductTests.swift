import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products of scales with 24 bits and any exponent")
struct ScaleProductTests {
  @Test("Inside FP32's range they are FP32 products")
  func ordinary() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let (a, b) = (Self.number(-60...60, &generator), Self.number(-60...60, &generator))
      #expect(ScaleProduct(a, b).value == Double(a * b))
    }
    #expect(ScaleProduct(.infinity, 2).value == .infinity)
    #expect(ScaleProduct(.infinity, 0).value.isNaN)
    #expect(ScaleProduct(.nan, 1).value.isNaN)
    #expect(ScaleProduct(-0.0, 1).value.sign == .minus)
  }

  @Test("Outside they round to 24 bits, ties to even, and carry the unit")
  func unlimited() {
    #expect(ScaleProduct(0x1p-149, 0x1p-149).value == 0x1p-298)
    #expect(ScaleProduct(-0x1p127, 0x1p127, exponent: -14).value == -0x1p240)
    // (1 + 2^-23) · 1.5 = 1.5 + 1.5 · 2^-23 and (1 + 3 · 2^-23) · 1.5 = 1.5 + 4.5 · 2^-23 are ties.
    #expect(ScaleProduct(0x1.000002p-100, 0x1.8p-100).value == 0x1.800004p-200)
    #expect(ScaleProduct(0x1.000006p-100, 0x1.8p-100).value == 0x1.800008p-200)
    // The largest significand's square stays below 4.
    #expect(ScaleProduct(0x1.fffffep100, 0x1.fffffep100).value == 0x1.fffffcp201)
  }

  @Test("A step is rounded once, far outside and next to FP32's range")
  func steps() {
    var generator = SeededGenerator(seed: 2)
    var differing = 0
    for turn in 0..<20_000 {
      let low = turn % 2 == 0
      let scale = ScaleProduct(
        Self.number(low ? -90 ... -60 : 60...80, &generator),
        Self.number(low ? -90 ... -60 : 60...80, &generator))
      let dot = Self.number(low ? 0...40 : -60 ... -20, &generator)
      let exponents = low ? -149 ... -100 : 60...127
      let sum = turn % 5 == 0 ? 0 : Self.number(exponents, &generator)
      var oracle = ExactExpansion()
      oracle.add(Double(dot), times: scale.value)
      oracle.add(Double(sum))
      var result = sum
      result.addProduct(dot, scale)
      #expect(result == oracle.nearestFloat, "\(dot) · \(scale.value) + \(sum)")
      let plain = sum.addingProduct(dot, Float(scale.value))
      if plain != result { differing += 1 }
      if sum == 0 {
        #expect(dot.multiplied(by: scale) == oracle.nearestFloat, "\(dot) · \(scale.value)")
      }
    }
    #expect(differing > 1000)
  }

  @Test("Zeros, infinities and NaN follow IEEE 754")
  func specials() {
    func step(_ sum: Float, _ dot: Float, _ scale: ScaleProduct) -> Float {
      var sum = sum
      sum.addProduct(dot, scale)
      return sum
    }
    let (tiny, huge) = (ScaleProduct(0x1p-149, 0x1p-149), ScaleProduct(0x1p127, 0x1p127))
    for scale in [tiny, huge] {
      #expect(step(0, 0, scale).bitPattern == 0)
      #expect(step(-0.0, -0.0, scale).bitPattern == Float(-0.0).bitPattern)
      #expect(step(-0.0, 0, scale).bitPattern == 0)
      #expect(step(1, -.infinity, scale) == -.infinity)
      #expect(step(.infinity, 1, scale) == .infinity)
      #expect(step(.infinity, -.infinity, scale).isNaN)
      #expect(step(1, .nan, scale).isNaN)
    }
    #expect(step(-0.0, -1, tiny).bitPattern == Float(-0.0).bitPattern)
    #expect(step(0, 1, huge) == .infinity)
    #expect(step(1, 0, ScaleProduct(.infinity, 1)).isNaN)
  }

  /// A number of either sign with a random significand.
  private static func number(
    _ exponents: ClosedRange<Int>, _ generator: inout SeededGenerator
  ) -> Float {
    let word = generator.next()
    let significand = 1 + Float(word & 0x7F_FFFF) * 0x1p-23
    return Float(
      sign: word >> 40 & 1 == 0 ? .plus : .minus,
      exponent: .random(in: exponents, using: &generator), significand: significand)
  }
}
