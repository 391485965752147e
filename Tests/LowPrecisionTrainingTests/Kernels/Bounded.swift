import Foundation

/// A number in double precision with a bound of how far FP32 is from it.
///
/// Every operation of FP32 rounds once: by half an ulp of what it computes, or of the smallest
/// subnormal number. Errors of operands go through to first order and with their products.
struct Bounded {
  var value: Double
  var error: Double

  /// An operand, which FP32 has exactly.
  init(_ exact: Float) {
    value = Double(exact)
    error = 0
  }

  private init(rounding value: Double, _ error: Double, ulps: Double = 0.5) {
    self.value = value
    self.error = error + 2 * ulps * (halfUlp * (abs(value) + error) + 0x1p-150)
  }

  private static func productError(_ a: Bounded, _ b: Bounded) -> Double {
    abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error
  }

  static func * (a: Bounded, b: Bounded) -> Bounded {
    Bounded(rounding: a.value * b.value, productError(a, b))
  }

  /// a b + c, rounded once.
  static func fused(_ a: Bounded, _ b: Bounded, _ c: Bounded) -> Bounded {
    Bounded(rounding: a.value * b.value + c.value, productError(a, b) + c.error)
  }

  /// By the kernels' function.
  static func exp(_ x: Bounded) -> Bounded {
    let y = Foundation.exp(x.value)
    return Bounded(rounding: y, y * expm1(x.error), ulps: 1.1)
  }

  /// Sums of fused products over a row, in the kernels' order or in blocks of 32: fewer roundings.
  static func sumOfProducts(_ pairs: [(Bounded, Bounded)]) -> Bounded {
    var (sum, error, magnitude) = (0.0, 0.0, 0.0)
    for (a, b) in pairs {
      let product = a.value * b.value
      sum += product
      error += productError(a, b)
      magnitude += abs(product) + productError(a, b)
    }
    // No product of FP32 numbers is smaller than its rounding by more than this.
    let tiny = Double(pairs.count) * 0x1p-150
    var result = Bounded(0)
    result.value = sum
    result.error = error + summationError(pairs.count) * magnitude + tiny
    return result
  }
}
