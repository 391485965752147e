/// Sums over pairs of an original value x and its reconstruction y, from which the quality of a
/// quantization is computed.
///
/// With e = y - x, everything is held in Double: Σx², Σe², Σxy, Σy², Σe, the largest |e|, the largest
/// |e|/|x|, and counts. x and y are Floats converted exactly; each e is one Double subtraction (exact
/// unless the exponents of x and y are more than 29 apart), each product x², xy, y² is exact, and e²
/// is rounded once.
///
/// Statistics of several tensors are pooled with ``merge(_:)``: a total's QSNR is the ratio of the
/// pooled sums, not a mean of decibels.
///
/// Order of summation: the elements of the logical tensor, in row-major order, form chunks of
/// ``chunkLength``. In a chunk, lane j of eight adds the elements whose index is j modulo 8, in order;
/// then lane j + 4 is added to lane j, then j + 2, then j + 1. The chunks are combined in a binary tree
/// that depends on their number alone: the tree over n chunks combines the tree over the first p, the
/// largest power of two below n, with the tree over the others. The result is therefore the same bits
/// for any number of threads and for any pieces fed to an ``ErrorAccumulator``.
///
/// Edge cases: a NaN x or y makes the sums that contain it and both maxima NaN. An infinite x makes
/// Σx² infinite and the largest relative error NaN; where y is the same infinity, e is NaN. An
/// infinite y with finite x makes Σe² and the largest errors infinite.
public struct ErrorStatistics: Equatable, Sendable {
  /// The number of elements in a chunk of the fixed summation order.
  public static let chunkLength = 4096

  /// The number n of pairs.
  public internal(set) var count = 0

  /// Σx², the energy of the original.
  public internal(set) var sumOfSquares = 0.0

  /// Σ(y - x)², the energy of the error.
  public internal(set) var sumOfSquaredErrors = 0.0

  /// Σxy, the inner product of the original and its reconstruction.
  public internal(set) var sumOfProducts = 0.0

  /// Σy², the energy of the reconstruction.
  public internal(set) var sumOfSquaredReconstructions = 0.0

  /// Σ(y - x), the sum of the signed errors.
  public internal(set) var sumOfErrors = 0.0

  /// The largest |e| so far, 0 before the first pair.
  var largestError = 0.0

  /// The largest |e|/|x| over x ≠ 0 so far, 0 before the first such pair.
  var largestRelativeError = 0.0

  /// The number of pairs with x finite and not zero but y zero.
  public internal(set) var underflowCount = 0

  /// The number of elements the encoder clipped to its largest value; the caller adds it.
  ///
  /// It cannot be told from x and y, as a value can round to the largest one without being clipped.
  public var saturatedCount = 0

  /// The number of blocks; the caller adds it.
  public var blockCount = 0

  /// The number of blocks in which every element has y = x, or NaN for NaN; the caller adds it.
  public var exactBlockCount = 0

  /// Creates the statistics of no pair.
  public init() {}

  /// Adds the statistics of other pairs to these.
  ///
  /// Sums are added, maxima taken, a NaN maximum stays. Addition is rounded, so pooling many
  /// statistics gives the same bits only in the same order.
  public mutating func merge(_ other: ErrorStatistics) {
    count += other.count
    sumOfSquares += other.sumOfSquares
    sumOfSquaredErrors += other.sumOfSquaredErrors
    sumOfProducts += other.sumOfProducts
    sumOfSquaredReconstructions += other.sumOfSquaredReconstructions
    sumOfErrors += other.sumOfErrors
    largestError = maximumOrNaN(largestError, other.largestError)
    largestRelativeError = maximumOrNaN(largestRelativeError, other.largestRelativeError)
    underflowCount += other.underflowCount
    saturatedCount += other.saturatedCount
    blockCount += other.blockCount
    exactBlockCount += other.exactBlockCount
  }

  /// Returns these statistics with those of other pairs added; see ``merge(_:)``.
  public func merging(_ other: ErrorStatistics) -> ErrorStatistics {
    var result = self
    result.merge(other)
    return result
  }
}

/// Returns the larger value, or NaN if either is NaN.
func maximumOrNaN(_ a: Double, _ b: Double) -> Double {
  if a.isNaN || b.isNaN { return .nan }
  return a > b ? a : b
}
