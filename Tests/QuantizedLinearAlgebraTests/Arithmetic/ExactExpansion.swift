/// A sum as doubles that do not overlap: an oracle that shares nothing with a fixed-point register.
///
/// Source: Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric
/// predicates", 1997.
struct ExactExpansion {
  /// In order of increasing magnitude.
  private(set) var parts: [Double] = []

  mutating func add(_ x: Double) {
    var carry = x
    var result: [Double] = []
    for part in parts {
      let sum = carry + part
      let virtual = sum - carry
      let error = (carry - (sum - virtual)) + (part - virtual)
      if error != 0 { result.append(error) }
      carry = sum
    }
    if carry != 0 { result.append(carry) }
    parts = result
  }

  mutating func add(_ x: Double, times y: Double) {
    let product = x * y
    add(product)
    add((-product).addingProduct(x, y))
  }

  /// The sign of the sum: -1, 0 or 1.
  var sign: Int { parts.last.map { $0 < 0 ? -1 : 1 } ?? 0 }

  func minus(_ x: Double) -> ExactExpansion {
    var result = self
    result.add(-x)
    return result
  }

  /// The nearest FP32 number, ties to even, found by comparing the sum with midpoints.
  var nearestFloat: Float {
    guard sign != 0 else { return 0 }
    if sign < 0 {
      var opposite = ExactExpansion()
      for part in parts { opposite.add(-part) }
      return -opposite.nearestFloat
    }
    if minus(0x1p128).sign >= 0 { return .infinity }
    var below = Float(parts.reduce(0, +))
    if below.isInfinite { below = .greatestFiniteMagnitude }
    while minus(Double(below)).sign < 0 { below = below.nextDown }
    while below != .greatestFiniteMagnitude, minus(Double(below.nextUp)).sign >= 0 {
      below = below.nextUp
    }
    let above = below == .greatestFiniteMagnitude ? 0x1p128 : Double(below.nextUp)
    switch minus((Double(below) + above) / 2).sign {
    case -1: return below
    case 1: return below.nextUp
    default: return below.bitPattern % 2 == 0 ? below : below.nextUp
    }
  }
}
