extension Double {
  /// x · 2^exponent, rounded only where the result is subnormal or infinite.
  @inlinable
  @inline(__always)
  package static func scaled(_ x: Double, byPowerOfTwo exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: x)
  }
}
