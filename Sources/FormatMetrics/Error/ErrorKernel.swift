/// Loads the original and the reconstruction of one chunk and sums it in eight lanes.
///
/// The sums and the maxima are separate passes over a chunk that stays in the first-level cache, and
/// the sums take lanes 0-3 and 4-7 one after the other: so the accumulators of a pass fit the sixteen
/// 128-bit registers of baseline x86-64. Lanes are independent, so the order of passes cannot change
/// a result.
struct ErrorKernel {
  /// The largest relative error of all chunks this kernel has seen, so that a chunk is searched for a
  /// new one only where its pass finds a larger.
  private(set) var largestRelativeError = 0.0

  /// Four lanes of one pass over the sums.
  private struct Sums {
    var squares = SIMD4<Double>.zero
    var squaredErrors = SIMD4<Double>.zero
    var products = SIMD4<Double>.zero
    var squaredReconstructions = SIMD4<Double>.zero
    var errors = SIMD4<Double>.zero
  }

  /// Returns the statistics of at most one chunk of pairs; its `largestRelativeError` also covers
  /// the chunks summed before by this kernel.
  mutating func statistics(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, count: Int
  ) -> ErrorStatistics {
    let groups = count / 8
    var low = Sums()
    var high = Sums()
    Self.addSums(x, y, groups: groups, firstLane: 0, to: &low)
    Self.addSums(x, y, groups: groups, firstLane: 4, to: &high)
    var largestSquare = 0.0
    var mayExceed = Self.maxima(x, y, groups: groups, threshold: threshold, &largestSquare)
    let tail = count % 8
    if tail > 0 {
      // Zero pairs change neither a sum nor a maximum, so the last group is filled up with them.
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { padded in
        padded.initialize(repeating: 0)
        guard let tailX = padded.baseAddress else { return }
        let tailY = tailX + 8
        tailX.update(from: x + groups * 8, count: tail)
        tailY.update(from: y + groups * 8, count: tail)
        Self.addSums(tailX, tailY, groups: 1, firstLane: 0, to: &low)
        Self.addSums(tailX, tailY, groups: 1, firstLane: 4, to: &high)
        let over = Self.maxima(tailX, tailY, groups: 1, threshold: threshold, &largestSquare)
        mayExceed = mayExceed || over
      }
    }

    var result = ErrorStatistics()
    result.count = count
    result.sumOfSquares = Self.total(low.squares, high.squares)
    result.sumOfSquaredErrors = Self.total(low.squaredErrors, high.squaredErrors)
    result.sumOfProducts = Self.total(low.products, high.products)
    result.sumOfSquaredReconstructions = Self.total(
      low.squaredReconstructions, high.squaredReconstructions)
    result.sumOfErrors = Self.total(low.errors, high.errors)
    result.underflowCount = Self.underflowCount(x, y, count: count)
    if mayExceed { updateLargestRelativeError(x, y, count: count) }
    // A sum of squares is NaN exactly if a term is, and infinite exactly if a term is: the square of
    // a Float is below 2^256.
    let hasNaN = result.sumOfSquaredErrors.isNaN
    if hasNaN || !result.sumOfSquares.isFinite { largestRelativeError = .nan }
    // The square root of a correctly rounded square is the magnitude itself.
    result.largestError = hasNaN ? .nan : largestSquare.squareRoot()
    result.largestRelativeError = largestRelativeError
    return result
  }

  /// A bound t such that e² ≤ t·x², both sides rounded, proves |e|/|x| ≤ `largestRelativeError`.
  ///
  /// At most five roundings of 2^-53 enter, against a margin of 2^-49. A ratio of 1 needs no margin
  /// and must have none, as every underflow has exactly that ratio: then t = 1 and squares compare as
  /// magnitudes do.
  private var threshold: Double {
    if largestRelativeError == 1 { return 1 }
    let reduced = largestRelativeError * (1 - 0x1p-50)
    return reduced * reduced
  }

  private mutating func updateLargestRelativeError(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
  ) {
    for i in 0..<count where x[i] != 0 {
      let original = Double(x[i])
      let ratio = (Double(y[i]) - original).magnitude / original.magnitude
      if ratio > largestRelativeError { largestRelativeError = ratio }
    }
  }

  /// Adds whole groups of eight pairs to the sums of four of the eight lanes.
  @inline(never)
  private static func addSums(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, groups: Int, firstLane: Int,
    to sums: inout Sums
  ) {
    var squares = sums.squares
    var squaredErrors = sums.squaredErrors
    var products = sums.products
    var squaredReconstructions = sums.squaredReconstructions
    var errors = sums.errors
    for group in 0..<groups {
      let a = loadLanes(x, at: group &* 8 &+ firstLane)
      let b = loadLanes(y, at: group &* 8 &+ firstLane)
      let e = b - a
      squares += a * a
      squaredErrors += e * e
      products += a * b
      squaredReconstructions += b * b
      errors += e
    }
    sums = Sums(
      squares: squares, squaredErrors: squaredErrors, products: products,
      squaredReconstructions: squaredReconstructions, errors: errors)
  }

  /// Raises `largestSquare` to the largest e² that is not NaN, and returns whether e² > threshold·x²
  /// for some pair.
  @inline(never)
  private static func maxima(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, groups: Int, threshold: Double,
    _ largestSquare: inout Double
  ) -> Bool {
    let bound = SIMD4<Double>(repeating: threshold)
    var square0 = SIMD4<Double>.zero
    var square1 = SIMD4<Double>.zero
    var excess0 = SIMD4<Double>.zero
    var excess1 = SIMD4<Double>.zero
    for group in 0..<groups {
      let a0 = loadLanes(x, at: group &* 8)
      let e0 = loadLanes(y, at: group &* 8) - a0
      let s0 = e0 * e0
      square0 = larger(s0, square0)
      excess0 = larger(s0 - bound * (a0 * a0), excess0)
      let a1 = loadLanes(x, at: group &* 8 &+ 4)
      let e1 = loadLanes(y, at: group &* 8 &+ 4) - a1
      let s1 = e1 * e1
      square1 = larger(s1, square1)
      excess1 = larger(s1 - bound * (a1 * a1), excess1)
    }
    largestSquare = max(largestSquare, larger(square0, square1).max())
    return larger(excess0, excess1).max() > 0
  }

  /// Counts the pairs with x finite and not zero but y zero.
  @inline(never)
  private static func underflowCount(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
  ) -> Int {
    var underflows: UInt32 = 0
    for i in 0..<count {
      // Without the sign bit and one lower, zero wraps to the top, where infinity and NaN are too.
      // Integer compares, since the compiler makes vector code of them and not of the Float ones.
      let original = (x[i].bitPattern &<< 1) &- 1
      let reconstruction = y[i].bitPattern &<< 1
      underflows &+= (original < 0xFEFF_FFFF ? 1 : 0) & (reconstruction == 0 ? 1 : 0)
    }
    return Int(underflows)
  }

  @inline(__always)
  private static func loadLanes(_ p: UnsafePointer<Float>, at index: Int) -> SIMD4<Double> {
    let q = p + index
    return SIMD4(Double(q[0]), Double(q[1]), Double(q[2]), Double(q[3]))
  }

  /// The larger value of each lane, `b` where `a` is NaN.
  @inline(__always)
  private static func larger(_ a: SIMD4<Double>, _ b: SIMD4<Double>) -> SIMD4<Double> {
    b.replacing(with: a, where: a .> b)
  }

  /// Adds the eight lanes: first lane j + 4 to lane j, then j + 2, then j + 1.
  private static func total(_ low: SIMD4<Double>, _ high: SIMD4<Double>) -> Double {
    let four = low + high
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}
