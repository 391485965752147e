public import BlockFormats
import CallerChecks

/// Measures a reconstruction that arrives in pieces of any lengths, in row-major order.
///
/// The result is the same bits as that of the whole tensor at once: pieces are cut at the chunks of
/// ``ErrorStatistics``, and an unfinished chunk waits for the next piece. Memory is one chunk of each
/// side and one partial result for each doubling of the length.
public struct ErrorAccumulator: Sendable {
  private var kernel = ErrorKernel()
  private var reduction = PairwiseReduction<ErrorStatistics> { $0.merging($1) }
  private var pendingX: [Float] = []
  private var pendingY: [Float] = []

  /// Creates an accumulator that has seen no pair.
  public init() {}

  /// Adds the next pairs of the tensor.
  ///
  /// - Parameters:
  ///   - original: The next values x; empty is allowed.
  ///   - reconstruction: The values y that belong to them.
  ///   - parallelism: How many threads may work; never changes a result.
  /// - Precondition: Both have the same length.
  public mutating func append(
    original: UnsafeBufferPointer<Float>, reconstruction: UnsafeBufferPointer<Float>,
    parallelism: Parallelism = .threads(1)
  ) {
    require(
      original.count == reconstruction.count,
      "the original has \(original.count) values, its reconstruction \(reconstruction.count)")
    let chunkLength = ErrorStatistics.chunkLength
    var start = 0
    if !pendingX.isEmpty {
      start = min(chunkLength - pendingX.count, original.count)
      hold(original, reconstruction, 0..<start)
      guard pendingX.count == chunkLength else { return }
      reduction.append(kernel.statistics(x: pendingX, y: pendingY, count: chunkLength))
      pendingX.removeAll(keepingCapacity: true)
      pendingY.removeAll(keepingCapacity: true)
    }
    let end = original.count - (original.count - start) % chunkLength
    let chunks = ErrorStatistics.chunks(
      of: UnsafeBufferPointer(rebasing: original[start..<end]),
      UnsafeBufferPointer(rebasing: reconstruction[start..<end]), parallelism)
    for chunk in chunks { reduction.append(chunk) }
    hold(original, reconstruction, end..<original.count)
  }

  /// Keeps pairs for the next call.
  private mutating func hold(
    _ original: UnsafeBufferPointer<Float>, _ reconstruction: UnsafeBufferPointer<Float>,
    _ range: Range<Int>
  ) {
    pendingX.append(contentsOf: original[range])
    pendingY.append(contentsOf: reconstruction[range])
  }

  /// Adds the next pairs of the tensor, given as arrays.
  ///
  /// - Parameters:
  ///   - original: The next values x; empty is allowed.
  ///   - reconstruction: The values y that belong to them.
  /// - Precondition: Both have the same length.
  public mutating func append(original: [Float], reconstruction: [Float]) {
    original.withUnsafeBufferPointer { x in
      reconstruction.withUnsafeBufferPointer { y in append(original: x, reconstruction: y) }
    }
  }

  /// The statistics of all pairs added so far.
  ///
  /// - Complexity: O(1): at most one chunk is summed.
  public var statistics: ErrorStatistics {
    var reduction = reduction
    if !pendingX.isEmpty {
      var kernel = kernel
      reduction.append(kernel.statistics(x: pendingX, y: pendingY, count: pendingX.count))
    }
    return reduction.result() ?? ErrorStatistics()
  }
}
