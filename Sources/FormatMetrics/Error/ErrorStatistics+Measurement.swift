public import BlockFormats
import CallerChecks

extension ErrorStatistics {
  /// Measures a reconstruction against its original.
  ///
  /// - Parameters:
  ///   - original: The values x of the logical tensor in row-major order.
  ///   - reconstruction: The values y, in the same order.
  ///   - parallelism: How many threads may work. The
  ///     result is the same bits for every number.
  /// - Precondition: Both have the same length.
  /// - Complexity: O(n); two passes over data in the first-level cache, one over memory.
  public init(
    original: UnsafeBufferPointer<Float>, reconstruction: UnsafeBufferPointer<Float>,
    parallelism: Parallelism = .allCores
  ) {
    require(
      original.count == reconstruction.count,
      "the original has \(original.count) values, its reconstruction \(reconstruction.count)")
    self.init()
    guard !original.isEmpty, let originalBase = original.baseAddress,
      let reconstructionBase = reconstruction.baseAddress
    else { return }
    // Safe to share: read only, and alive until this initializer returns.
    nonisolated(unsafe) let x = originalBase
    nonisolated(unsafe) let y = reconstructionBase
    let count = original.count
    let chunkCount = (count - 1) / Self.chunkLength + 1
    // 64 chunks take about a quarter of a millisecond; below that a second thread does not pay.
    let chunks = parallelism.fill(count: chunkCount, grain: 64) {
      (range: Range<Int>, chunks: UnsafeMutableBufferPointer<ErrorStatistics>) in
      var kernel = ErrorKernel()
      for chunk in range {
        let start = chunk * Self.chunkLength
        let length = min(Self.chunkLength, count - start)
        chunks.initializeElement(
          at: chunk, to: kernel.statistics(x: x + start, y: y + start, count: length))
      }
    }
    var reduction = PairwiseReduction<ErrorStatistics> { $0.merging($1) }
    for chunk in chunks {
      reduction.append(chunk)
    }
    self = reduction.result() ?? ErrorStatistics()
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
