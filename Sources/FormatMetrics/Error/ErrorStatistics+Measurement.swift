public import BlockFormats
import CallerChecks

extension ErrorStatistics {
  /// Measures a reconstruction against its original.
  ///
  /// - Parameters:
  ///   - original: The values x of the logical tensor in row-major order.
  ///   - reconstruction: The values y, in the same order.
  ///   - parallelism: How many threads may work; never changes a result.
  /// - Precondition: Both have the same length.
  /// - Complexity: O(n); two passes over data in the first-level cache, one over memory.
  public init(
    original: UnsafeBufferPointer<Float>, reconstruction: UnsafeBufferPointer<Float>,
    parallelism: Parallelism = .allCores
  ) {
    require(
      original.count == reconstruction.count,
      "the original has \(original.count) values, its reconstruction \(reconstruction.count)")
    var reduction = PairwiseReduction<ErrorStatistics> { $0.merging($1) }
    for chunk in Self.chunks(of: original, reconstruction, parallelism) {
      reduction.append(chunk)
    }
    self = reduction.result() ?? ErrorStatistics()
  }

  /// The fewest chunks worth a thread: 64 take about a quarter of a millisecond; below that a second
  /// thread does not pay.
  static let threadGrain = 64

  /// The statistics of each chunk of as many pairs, of which the last may be shorter.
  static func chunks(
    of original: UnsafeBufferPointer<Float>, _ reconstruction: UnsafeBufferPointer<Float>,
    _ parallelism: Parallelism
  ) -> [ErrorStatistics] {
    guard !original.isEmpty, let originalBase = original.baseAddress,
      let reconstructionBase = reconstruction.baseAddress
    else { return [] }
    // Safe to share: read only, and alive until this initializer returns.
    nonisolated(unsafe) let x = originalBase
    nonisolated(unsafe) let y = reconstructionBase
    let count = original.count
    let chunkCount = (count - 1) / chunkLength + 1
    return parallelism.fill(count: chunkCount, grain: threadGrain) {
      (range: Range<Int>, chunks: UnsafeMutableBufferPointer<ErrorStatistics>) in
      var kernel = ErrorKernel()
      for chunk in range {
        let start = chunk * chunkLength
        let length = min(chunkLength, count - start)
        chunks.initializeElement(
          at: chunk, to: kernel.statistics(x: x + start, y: y + start, count: length))
      }
    }
  }

  /// Measures a reconstruction against its original, given as arrays.
  ///
  /// - Parameters:
  ///   - original: The values x of the logical tensor in row-major order.
  ///   - reconstruction: The values y, in the same order.
  ///   - parallelism: How many threads may work.
  /// - Precondition: Both have the same length.
  public init(original: [Float], reconstruction: [Float], parallelism: Parallelism = .allCores) {
    self = original.withUnsafeBufferPointer { x in
      reconstruction.withUnsafeBufferPointer { y in
        ErrorStatistics(original: x, reconstruction: y, parallelism: parallelism)
      }
    }
  }
}
