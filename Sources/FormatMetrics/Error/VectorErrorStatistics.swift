public import BlockFormats
import CallerChecks
import Foundation

/// The error of a reconstruction as a mean over vectors, as in the BDR paper's experiment.
///
/// For each vector v the noise ratio is r_v = Σe² / Σx² over its elements, e = y - x; held are the sum
/// of r_v and the number of vectors. Every vector weighs alike whatever its magnitude, unlike the ratio
/// of sums of ``ErrorStatistics``, in which the largest vectors decide. All-zero vectors have no ratio:
/// they are left out of the mean and counted in ``zeroVectorCount``.
///
/// The sums of one vector and the sum over vectors are made in the fixed order of ``ErrorStatistics``,
/// so the result is the same bits for any number of threads.
///
/// Source: Darvish Rouhani et al., "With Shared Microexponents, A Little Shifting Goes a Long Way",
/// ISCA'23, arXiv:2302.08007.
public struct VectorErrorStatistics: Equatable, Sendable {
  /// The number of vectors with a noise ratio: those that are not all zero.
  public internal(set) var vectorCount = 0

  /// The number of all-zero vectors, which enter no other member.
  public internal(set) var zeroVectorCount = 0

  /// The sum of Σe² / Σx² over the vectors that are not all zero.
  public internal(set) var sumOfNoiseRatios = 0.0

  /// Creates the statistics of no vector.
  public init() {}

  /// Measures a reconstruction whose vectors are rows.
  ///
  /// - Shape: both are [vectors, vectorLength], row-major.
  /// - Parameters:
  ///   - original: The values x.
  ///   - reconstruction: The values y, in the same order.
  ///   - vectorLength: The number of elements of a vector, at least 1.
  ///   - parallelism: How many threads may work.
  /// - Precondition: Both have the same length, a multiple of `vectorLength`.
  public init(
    original: UnsafeBufferPointer<Float>, reconstruction: UnsafeBufferPointer<Float>,
    vectorLength: Int, parallelism: Parallelism = .allCores
  ) {
    require(
      original.count == reconstruction.count,
      "the original has \(original.count) values, its reconstruction \(reconstruction.count)")
    require(vectorLength >= 1, "the vector length is \(vectorLength), it must be at least 1")
    require(
      original.count.isMultiple(of: vectorLength),
      "\(original.count) values are no whole number of vectors of \(vectorLength)")
    self.init()
    guard !original.isEmpty, let originalBase = original.baseAddress,
      let reconstructionBase = reconstruction.baseAddress
    else { return }
    // Safe to share: read only, and alive until this initializer returns.
    nonisolated(unsafe) let x = originalBase
    nonisolated(unsafe) let y = reconstructionBase
    let ratios = parallelism.fill(
      count: original.count / vectorLength,
      grain: max(1, ErrorStatistics.threadGrain * ErrorStatistics.chunkLength / vectorLength)
    ) { (range: Range<Int>, ratios: UnsafeMutableBufferPointer<Double?>) in
      var kernel = ErrorKernel()
      for vector in range {
        let start = vector * vectorLength
        ratios.initializeElement(
          at: vector,
          to: Self.noiseRatio(x: x + start, y: y + start, count: vectorLength, &kernel))
      }
    }
    let nonzero = ratios.compactMap { $0 }
    vectorCount = nonzero.count
    zeroVectorCount = ratios.count - nonzero.count
    sumOfNoiseRatios = nonzero.pairwiseSum()
  }

  /// Measures a reconstruction whose vectors are rows, given as arrays.
  ///
  /// - Parameters:
  ///   - original: The values x.
  ///   - reconstruction: The values y, in the same order.
  ///   - vectorLength: The number of elements of a vector, at least 1.
  ///   - parallelism: How many threads may work.
  /// - Precondition: Both have the same length, a multiple of `vectorLength`.
  public init(
    original: [Float], reconstruction: [Float], vectorLength: Int,
    parallelism: Parallelism = .allCores
  ) {
    self = original.withUnsafeBufferPointer { x in
      reconstruction.withUnsafeBufferPointer { y in
        VectorErrorStatistics(
          original: x, reconstruction: y, vectorLength: vectorLength, parallelism: parallelism)
      }
    }
  }

  /// The mean-of-vectors QSNR in dB, -10 log10(mean over vectors of Σe² / Σx²).
  ///
  /// Edge cases: +Infinity where every vector is exact; NaN where no vector is left, or where one
  /// holds a NaN or an infinity in the input.
  public var meanQSNR: Double {
    vectorCount == 0 ? .nan : -10 * log10(sumOfNoiseRatios / Double(vectorCount))
  }

  /// Adds the statistics of other vectors to these.
  public mutating func merge(_ other: VectorErrorStatistics) {
    vectorCount += other.vectorCount
    zeroVectorCount += other.zeroVectorCount
    sumOfNoiseRatios += other.sumOfNoiseRatios
  }

  /// Returns Σe² / Σx² of one vector, or `nil` if it is all zero.
  private static func noiseRatio(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, count: Int, _ kernel: inout ErrorKernel
  ) -> Double? {
    var reduction = PairwiseReduction<SIMD2<Double>> { $0 + $1 }
    for start in stride(from: 0, to: count, by: ErrorStatistics.chunkLength) {
      let length = min(ErrorStatistics.chunkLength, count - start)
      let chunk = kernel.statistics(x: x + start, y: y + start, count: length)
      if length == count {
        return chunk.sumOfSquares == 0 ? nil : chunk.sumOfSquaredErrors / chunk.sumOfSquares
      }
      reduction.append(SIMD2(chunk.sumOfSquaredErrors, chunk.sumOfSquares))
    }
    guard let sums = reduction.result(), sums[1] != 0 else { return nil }
    return sums[0] / sums[1]
  }
}
