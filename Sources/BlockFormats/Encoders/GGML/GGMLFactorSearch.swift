/// The factor that values of a part of a block share, found by least squared errors weighted with x².
///
/// Every step is one FP32 operation, with sums in the order of the values and nothing fused. Values whose
/// largest magnitude is below 10^-15 have the factor 0. A factor that leaves FP32 gives way to the first
/// one, 1 / f₀.
enum GGMLFactorSearch {
  /// A factor and the codes that it was found with.
  struct Factor {
    let scale: Float
    /// The first of the multipliers, 0 for zeros.
    let multiplier: Float
    let integers: [Int]
  }

  /// Smaller magnitudes count as zeros.
  static let leastMagnitude: Float = 1e-15

  /// The order in which weight, value w, x and integer q are multiplied.
  enum ProductOrder: Hashable, Sendable {
    /// (w · x) · q.
    case valueFirst
    /// (w · q) · x.
    case integerFirst
  }

  /// The best of several first multipliers.
  ///
  /// 1. For each f of `multipliers`: q = `integer`(fl(f · x)), P = the sum of w · x · q and Q = that of
  ///    w · q · q.
  /// 2. The first f gives the factor fl(P / Q) and the gain fl(factor · P).
  /// 3. A later one wins if fl(P · P) > fl(gain · Q), and gives both anew.
  ///
  /// - Returns: the factor, and the integers of the f that gave it.
  static func bestTrial(
    of values: ArraySlice<Float>, multipliers: [Float], order: ProductOrder,
    integer: (Float) -> Int
  ) -> Factor {
    func sums(_ multiplier: Float) -> (products: Float, squares: Float) {
      var (products, squares): (Float, Float) = (0, 0)
      for x in values {
        let (w, q) = (x * x, Float(integer(multiplier * x)))
        switch order {
        case .valueFirst: products += w * x * q
        case .integerFirst: products += w * q * x
        }
        squares += w * q * q
      }
      return (products, squares)
    }
    var (scale, best): (Float, Float) = (0, multipliers[0])
    let first = sums(best)
    if first.squares > 0 { scale = first.products / first.squares }
    var gain = scale * first.products
    for multiplier in multipliers.dropFirst() {
      let (products, squares) = sums(multiplier)
      if squares > 0 && products * products > gain * squares {
        (scale, best) = (products / squares, multiplier)
        gain = scale * products
      }
    }
    return Factor(
      scale: scale.isFinite ? scale : 1 / multipliers[0], multiplier: multipliers[0],
      integers: values.map { integer(best * $0) })
  }

  /// Codes changed one at a time.
  ///
  /// 1. q = the nearest integer to fl(f₀ · x), within `range`, P and Q as in `bestTrial`.
  /// 2. Up to five times through the values: with P' and Q' without the value's own share, where P' > 0,
  ///    q' = the nearest integer to fl(fl(x · Q') / P'). It takes the place of q if P² / Q grows by it:
  ///    fl(fl(P'' · P'') · Q) > fl(fl(P · P) · Q''). A round without a change is the last.
  /// 3. The factor is fl(P / Q), 0 where Q is 0.
  static func descent(
    of values: ArraySlice<Float>, multiplier: Float, range: ClosedRange<Int>
  ) -> Factor {
    func integer(_ value: Float) -> Int {
      min(max(GGMLNumbers.nearestInteger(value), range.lowerBound), range.upperBound)
    }
    let values = Array(values)
    var integers = values.map { integer(multiplier * $0) }
    var (products, squares): (Float, Float) = (0, 0)
    for (x, integer) in zip(values, integers) {
      let (w, q) = (x * x, Float(integer))
      products += w * x * q
      squares += w * q * q
    }
    for _ in 0..<5 {
      var hasChanged = false
      for (index, x) in values.enumerated() {
        let (w, q) = (x * x, Float(integers[index]))
        var otherProducts = products - w * x * q
        guard otherProducts > 0 else { continue }
        var otherSquares = squares - w * q * q
        let next = integer(x * otherSquares / otherProducts)
        guard next != integers[index] else { continue }
        otherProducts += w * x * Float(next)
        otherSquares += w * Float(next) * Float(next)
        if otherSquares > 0
          && otherProducts * otherProducts * squares > products * products * otherSquares
        {
          integers[index] = next
          (products, squares) = (otherProducts, otherSquares)
          hasChanged = true
        }
      }
      if !hasChanged { break }
    }
    let scale = squares > 0 ? products / squares : 0
    return Factor(
      scale: scale.isFinite ? scale : 1 / multiplier, multiplier: multiplier, integers: integers)
  }
}
