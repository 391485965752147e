public import BlockFormats
import CallerChecks

/// Returns the crest factor max|x| / √(Σx² / n) of values: their peak over their root mean square.
///
/// It lies in 1...√n: 1 where all magnitudes are equal, √n where a single value is not zero. A format
/// with one scale for the values loses about 20 log10 of it in QSNR if its steps are uniform.
///
/// The squares are exact in Double and are summed in the fixed order of ``ErrorStatistics``.
///
/// Edge cases: NaN for no value, for all-zero values, and where a value is NaN or infinite.
public func crestFactor(of values: Span<Float>) -> Double {
  values.withUnsafeBufferPointer { crestFactor(of: $0) }
}

func crestFactor(of values: UnsafeBufferPointer<Float>) -> Double {
  guard !values.isEmpty, let x = values.baseAddress else { return .nan }
  var reduction = PairwiseReduction<Peak> { $0.merging($1) }
  for start in stride(from: 0, to: values.count, by: ErrorStatistics.chunkLength) {
    let length = min(ErrorStatistics.chunkLength, values.count - start)
    reduction.append(Peak(x + start, count: length))
  }
  return reduction.result()?.crestFactor ?? .nan
}

/// Returns the crest factor max|x| / √(Σx² / n) of an array; NaN for no value, for all-zero values,
/// and where a value is NaN or infinite.
public func crestFactor(of values: [Float]) -> Double {
  values.withUnsafeBufferPointer { crestFactor(of: $0) }
}

/// The crest factors of the blocks of a tensor, summed up as mean and largest.
///
/// All-zero blocks have no crest factor; they are left out and counted in ``zeroBlockCount``.
public struct CrestFactorSummary: Equatable, Sendable {
  /// The number of blocks with a crest factor: those that are not all zero.
  public internal(set) var blockCount = 0

  /// The number of all-zero blocks, which enter no other member.
  public internal(set) var zeroBlockCount = 0

  /// The sum of the crest factors.
  public internal(set) var sum = 0.0

  var largest = 0.0

  /// The fewest values worth a thread.
  private static let threadGrain = 1 << 18

  /// Creates the summary of no block.
  public init() {}

  /// Summarizes the blocks that run along the rows of a matrix.
  ///
  /// Blocks never cross a row; where `blockLength` does not divide `rowLength`, the last block of each
  /// row is shorter, and its root mean square is over its own elements only.
  ///
  /// - Shape: `values` is [rows, rowLength], row-major.
  /// - Parameters:
  ///   - values: The values.
  ///   - blockLength: The number of elements of a block, at least 1.
  ///   - rowLength: The number of elements of a row, at least 1; `nil` takes `values` as one row.
  ///   - parallelism: How many threads may work. The
  ///     result is the same bits for every number.
  /// - Precondition: The number of values is a multiple of `rowLength`.
  public init(
    of values: [Float], blockLength: Int, rowLength: Int? = nil,
    parallelism: Parallelism = .allCores
  ) {
    let row = rowLength ?? max(1, values.count)
    require(blockLength >= 1, "the block length is \(blockLength), it must be at least 1")
    require(row >= 1, "the row length is \(row), it must be at least 1")
    require(
      values.count.isMultiple(of: row),
      "\(values.count) values are no whole number of rows of \(row)")
    let blocksPerRow = (row - 1) / blockLength + 1
    let factors = parallelism.fill(
      count: values.count / row * blocksPerRow,
      grain: max(1, Self.threadGrain / min(row, blockLength))
    ) { (range: Range<Int>, factors: UnsafeMutableBufferPointer<Double>) in
      values.withUnsafeBufferPointer { values in
        for block in range {
          let (rowIndex, indexInRow) = block.quotientAndRemainder(dividingBy: blocksPerRow)
          let start = rowIndex * row + indexInRow * blockLength
          let end = min(start + blockLength, (rowIndex + 1) * row)
          let block = UnsafeBufferPointer(rebasing: values[start..<end])
          // No block that is not all zero has a crest factor of 0, so 0 can mark those that are.
          factors.initializeElement(
            at: rowIndex * blocksPerRow + indexInRow,
            to: block.allSatisfy { $0 == 0 } ? 0 : crestFactor(of: block))
        }
      }
    }
    let nonzero = factors.filter { $0 != 0 }
    blockCount = nonzero.count
    zeroBlockCount = factors.count - nonzero.count
    sum = nonzero.pairwiseSum()
    largest = nonzero.reduce(0, maximumOrNaN)
  }

  /// The mean crest factor; NaN for no block that is not all zero, and where a value is NaN or
  /// infinite.
  public var mean: Double { sum / Double(blockCount) }

  /// The largest crest factor; NaN for no block that is not all zero, and where a value is NaN or
  /// infinite.
  public var maximum: Double { blockCount == 0 ? .nan : largest }

  /// Adds the summary of other blocks to this one.
  public mutating func merge(_ other: CrestFactorSummary) {
    blockCount += other.blockCount
    zeroBlockCount += other.zeroBlockCount
    sum += other.sum
    largest = maximumOrNaN(largest, other.largest)
  }
}

/// The energy and the largest magnitude of some values.
private struct Peak: Sendable {
  var count: Int
  var sumOfSquares: Double
  var amax: Double

  /// Sums at most one chunk in eight lanes.
  init(_ x: UnsafePointer<Float>, count: Int) {
    var lanes = SIMD8<Double>.zero
    var largest: Float = 0
    for group in 0..<(count / 8) {
      let base = x + group &* 8
      for lane in 0..<8 {
        let value = Double(base[lane])
        lanes[lane] += value * value
        largest = base[lane].magnitude > largest ? base[lane].magnitude : largest
      }
    }
    for index in (count / 8 * 8)..<count {
      let value = Double(x[index])
      lanes[index % 8] += value * value
      largest = x[index].magnitude > largest ? x[index].magnitude : largest
    }
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    self.count = count
    sumOfSquares = two[0] + two[1]
    amax = Double(largest)
  }

  /// The peak over the root mean square: NaN as 0/0 for all-zero values, as ∞/∞ for an infinite one,
  /// and through the sum for a NaN.
  var crestFactor: Double { amax / (sumOfSquares / Double(count)).squareRoot() }

  func merging(_ other: Peak) -> Peak {
    var result = self
    result.count += other.count
    result.sumOfSquares += other.sumOfSquares
    result.amax = max(amax, other.amax)
    return result
  }
}
