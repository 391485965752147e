/// How a value becomes the number that is rounded to an element: one FP32 operation.
///
/// Where a finite value would leave FP32, it becomes the largest number of its sign, so that it overflows
/// in the element as finite values do.
enum ElementScaling {
  case multiplication(Float)
  case division(Float)

  /// x · factor, of at most FLT_MAX.
  static func multiplying(by factor: Float) -> ElementScaling {
    .multiplication(min(factor, .greatestFiniteMagnitude))
  }

  /// x / divisor, of at least 2^-149.
  static func dividing(by divisor: Float) -> ElementScaling {
    .division(max(divisor, .leastNonzeroMagnitude))
  }

  /// The number that is rounded.
  @inline(__always)
  func callAsFunction(_ value: Float) -> Float {
    switch self {
    case .multiplication(let factor): value.scaled(by: factor)
    case .division(let divisor): (value / divisor).kept(finiteFor: value)
    }
  }
}

extension Float {
  /// x · multiplier as one FP32 operation; the largest number of its sign where a finite value leaves
  /// FP32, so that it overflows in the element as finite values do.
  package func scaled(by multiplier: Float) -> Float {
    (self * multiplier).kept(finiteFor: self)
  }

  @inline(__always)
  fileprivate func kept(finiteFor value: Float) -> Float {
    guard isInfinite && value.isFinite else { return self }
    return Float(signOf: self, magnitudeOf: .greatestFiniteMagnitude)
  }
}

extension ScaleRule {
  /// Whether the largest magnitude maps to 6 or 4.
  var isFourOverSix: Bool { self.as(AmaxRule.self)?.isFourOverSix ?? false }
}
