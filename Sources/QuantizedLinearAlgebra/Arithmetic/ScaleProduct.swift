/// The product of two scales, one of each operand: 24 bits, as in FP32, and an exponent that has no
/// limits.
struct ScaleProduct {
  /// The product: rounded to 24 bits to nearest, ties to even, or zero or not finite.
  let value: Double

  /// fl(a · b) · 2^exponent, where rounding knows no limits of the exponent.
  ///
  /// - Precondition: the result is zero, not finite or a normal number of `Double`.
  init(_ a: Float, _ b: Float, exponent: Int = 0) {
    // Exact: 48 bits.
    let product = Double(a) * Double(b)
    guard product.isFinite && product != 0 else {
      value = product
      return
    }
    let significand = Double(Float(product.significand))
    value = Double(
      sign: product.sign, exponent: Int(product.exponent) + exponent, significand: significand)
  }

  /// What operands without scales have.
  static let one = ScaleProduct(1, 1)
}

extension Float {
  /// Adds dot · scale and rounds once.
  mutating func addProduct(_ dot: Float, _ scale: ScaleProduct) {
    let factor = Float(scale.value)
    if Double(factor) == scale.value {
      addProduct(dot, factor)
      return
    }
    let product = Double(dot) * scale.value
    guard product.isFinite, product != 0, isFinite else {
      self = Float(product + Double(self))
      return
    }
    // Exact: 48 bits. An exact sum of zero has the sign of IEEE 754's, which is +0.
    var sum = ExactSum()
    sum.add(product, times: 1)
    sum.add(Double(self), times: 1)
    self = sum.rounded()
  }

  /// fl(self · scale).
  func multiplied(by scale: ScaleProduct) -> Float {
    // Exact before it is rounded: 48 bits.
    Float(Double(self) * scale.value)
  }
}
