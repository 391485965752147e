import BlockFormats
import FormatMetrics
import Testing

@Suite("The order of summation of error statistics")
struct ErrorStatisticsOrderTests {
  /// Lengths around the lane count, the chunk length and the sizes at which the tree changes.
  static let lengths = [
    1, 2, 7, 8, 9, 15, 16, 17, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 12289, 20481, 28672,
    36865,
  ]

  /// Pairs of heavy-tailed values and a reconstruction on a coarse grid, with underflows and clipping.
  static func pairs(_ count: Int, seed: UInt64) -> (x: [Float], y: [Float]) {
    let x = Distribution.studentT(degreesOfFreedom: 2).sample(vectors: 1, length: count, seed: seed)
    return (x, x.map { min(max(($0 * 3).rounded() / 3, -6), 6) })
  }

  @Test("Every sum has the bits of the documented tree, computed here another way")
  func documentedTree() {
    for length in Self.lengths {
      let (x, y) = Self.pairs(length, seed: UInt64(length))
      let statistics = ErrorStatistics(original: x, reconstruction: y)
      let e = zip(x, y).map { Double($1) - Double($0) }
      #expect(statistics.sumOfSquares == treeSum(x.map { Double($0) * Double($0) }))
      #expect(statistics.sumOfSquaredErrors == treeSum(e.map { $0 * $0 }))
      #expect(statistics.sumOfProducts == treeSum(zip(x, y).map { Double($0) * Double($1) }))
      #expect(statistics.sumOfSquaredReconstructions == treeSum(y.map { Double($0) * Double($0) }))
      #expect(statistics.sumOfErrors == treeSum(e))
      #expect(statistics.maxAbsoluteError == e.map(\.magnitude).max())
      #expect(
        statistics.maxRelativeError
          == zip(e, x).filter { $1 != 0 }.map { $0.magnitude / Double($1).magnitude }.max())
      #expect(statistics.underflowCount == zip(x, y).count { $0 != 0 && $1 == 0 })
    }
  }

  @Test("Every sum agrees with the plain sum within the rounding errors of both")
  func naiveSum() {
    for length in Self.lengths {
      let (x, y) = Self.pairs(length, seed: UInt64(length) + 100)
      let statistics = ErrorStatistics(original: x, reconstruction: y)
      let e = zip(x, y).map { Double($1) - Double($0) }
      let squares = e.map { $0 * $0 }
      // A sum of n terms in any order errs by at most (n - 1) 2^-53 Σ|term| to first order; two sums
      // differ by twice that, and n instead of n - 1 covers the higher orders.
      let unit = 2 * Double(length) * 0x1p-53
      #expect(abs(statistics.sumOfErrors - e.reduce(0, +)) <= unit * e.reduce(0) { $0 + abs($1) })
      let sum = squares.reduce(0, +)
      #expect(abs(statistics.sumOfSquaredErrors - sum) <= unit * sum)
    }
  }

  @Test("One, two, three and seven threads give the same bits")
  func threads() {
    // 64 chunks are the least that a thread gets: 449 chunks allow seven.
    let (x, y) = Self.pairs(449 * ErrorStatistics.chunkLength - 3, seed: 5)
    let one = ErrorStatistics(original: x, reconstruction: y, parallelism: .threads(1))
    for threads in [2, 3, 7] {
      let more = ErrorStatistics(original: x, reconstruction: y, parallelism: .threads(threads))
      #expect(more.bits == one.bits)
    }
    #expect(ErrorStatistics(original: x, reconstruction: y).bits == one.bits)
  }

  @Test("Pieces of any lengths give the bits of the whole")
  func pieces() {
    let (x, y) = Self.pairs(30_001, seed: 6)
    let whole = ErrorStatistics(original: x, reconstruction: y)
    for pieceLengths in [[1, 4095, 4097, 10_000], [4096], [30_001], [5000, 0, 3], [9000]] {
      var accumulator = ErrorAccumulator()
      var start = 0
      var piece = 0
      while start < x.count {
        let end = min(start + pieceLengths[piece % pieceLengths.count], x.count)
        accumulator.append(original: Array(x[start..<end]), reconstruction: Array(y[start..<end]))
        start = end
        piece += 1
      }
      #expect(accumulator.statistics.bits == whole.bits)
      #expect(accumulator.statistics.bits == whole.bits, "reading must not change the state")
    }
    #expect(ErrorAccumulator().statistics == ErrorStatistics())
  }

  @Test("Pooled statistics have the sums of sums and the larger maxima of their parts")
  func merge() {
    let (x, y) = Self.pairs(5000, seed: 7)
    var a = ErrorStatistics(original: Array(x[..<2000]), reconstruction: Array(y[..<2000]))
    var b = ErrorStatistics(original: Array(x[2000...]), reconstruction: Array(y[2000...]))
    (a.saturatedCount, a.blockCount, a.exactBlockCount) = (1, 20, 3)
    (b.saturatedCount, b.blockCount, b.exactBlockCount) = (4, 50, 6)
    let pooled = a.merging(b)
    let whole = ErrorStatistics(original: x, reconstruction: y)
    #expect(pooled.count == 5000)
    #expect(pooled.sumOfSquares == a.sumOfSquares + b.sumOfSquares)
    #expect(pooled.sumOfSquaredErrors == a.sumOfSquaredErrors + b.sumOfSquaredErrors)
    #expect(pooled.sumOfProducts == a.sumOfProducts + b.sumOfProducts)
    #expect(pooled.sumOfErrors == a.sumOfErrors + b.sumOfErrors)
    #expect(
      pooled.sumOfSquaredReconstructions
        == a.sumOfSquaredReconstructions + b.sumOfSquaredReconstructions)
    #expect(pooled.maxAbsoluteError == whole.maxAbsoluteError)
    #expect(pooled.maxRelativeError == whole.maxRelativeError)
    #expect(pooled.underflowCount == whole.underflowCount)
    #expect(pooled.saturatedCount == 5)
    #expect(pooled.blockCount == 70)
    #expect(pooled.exactBlockCount == 9)
    #expect(a.merging(ErrorStatistics()).bits == a.bits)
    let nan = ErrorStatistics(original: [.nan], reconstruction: [0])
    #expect(nan.merging(a).maxAbsoluteError.isNaN)
    #expect(a.merging(nan).maxRelativeError.isNaN)
  }

  @Test("The largest relative error is found wherever it is, also just above 1 and among zeros")
  func largestRelativeError() {
    for place in [0, 7, 4095, 4096, 8190] {
      var x = [Float](repeating: 3, count: 8191)
      var y = [Float](repeating: 0, count: 8191)
      x[place] = 1
      y[place] = -0x1p-23
      let statistics = ErrorStatistics(original: x, reconstruction: y)
      #expect(statistics.maxRelativeError == 1 + 0x1p-23)
      x[8190 - place] = 0
      y[8190 - place] = 1
      let noisyZero = ErrorStatistics(original: x, reconstruction: y)
      #expect(noisyZero.maxRelativeError == (place == 8190 - place ? 1 : 1 + 0x1p-23))
    }
  }
}

/// The documented order by recursion over whole arrays of terms.
func treeSum(_ terms: [Double]) -> Double {
  let chunk = 4096
  if terms.count > chunk {
    let chunks = (terms.count + chunk - 1) / chunk
    var first = 1
    while first * 2 < chunks { first *= 2 }
    return treeSum(Array(terms[..<(first * chunk)])) + treeSum(Array(terms[(first * chunk)...]))
  }
  var lanes = [Double](repeating: 0, count: 8)
  for (index, term) in terms.enumerated() {
    lanes[index % 8] += term
  }
  for distance in [4, 2, 1] {
    for lane in 0..<distance {
      lanes[lane] += lanes[lane + distance]
    }
  }
  return lanes[0]
}
