/// The dot product D of one group, as each unit defines it.
extension ProductUnit {
  /// - Parameters:
  ///   - a: elements of the left operand, exact.
  ///   - b: as many of the right operand.
  func dot(_ a: UnsafeBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>) -> Float {
    switch self {
    case .int8, .int16:
      // Integers times one power of two, with sums below 2^31 of them: exact in `Double`.
      var sum = 0.0
      for index in 0..<a.count { sum += a[index] * b[index] }
      return Float(sum)
    case .bfloat16:
      var sum: Float = 0
      for even in stride(from: 0, to: a.count, by: 2) {
        if even + 1 < a.count { sum.addBFloat16Product(a[even + 1], b[even + 1]) }
        sum.addBFloat16Product(a[even], b[even])
      }
      return sum
    case .float32:
      var sum: Float = 0
      for index in 0..<a.count { sum.addProduct(Float(a[index]), Float(b[index])) }
      return sum
    }
  }
}

extension Float {
  /// One step of the BF16 dot product instruction.
  fileprivate mutating func addBFloat16Product(_ a: Double, _ b: Double) {
    let (x, y) = (Float(a).subnormalFlushed, Float(b).subnormalFlushed)
    // 24 binades higher every sum that may be tiny is a normal number, rounded to 24 bits.
    var wide = self * 0x1p24
    wide.addProduct(x * 0x1p24, y)
    addProduct(x, y)
    if wide.magnitude < 0x1p-102 { self = Float(sign: sign, exponent: 0, significand: 0) }
  }

  /// Zero of the same sign in place of a subnormal number.
  fileprivate var subnormalFlushed: Float {
    magnitude < .leastNormalMagnitude ? Float(sign: sign, exponent: 0, significand: 0) : self
  }
}
