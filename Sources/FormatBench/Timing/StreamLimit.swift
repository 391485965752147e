import BlockFormats
import CStreamLimit

/// Moves as many bytes as a kernel does and does nothing else: the limit of its speed.
struct StreamLimit {
  /// How the loop writes.
  enum Stores: String, CaseIterable, Sendable {
    /// Through the caches.
    case ordinary
    /// Past the caches.
    case nonTemporal = "non_temporal"
  }

  /// The byte that fills the output.
  static let pattern: UInt8 = 0xA5

  /// The bytes read, aligned to 64.
  let input: UnsafeRawBufferPointer
  /// The bytes written, aligned to 64 and apart from the input.
  let output: UnsafeMutableRawBufferPointer
  /// The elements that these bytes hold, by which the quantizer, too, divides work among threads.
  let elementCount: Int
  let parallelism: Parallelism
  /// The bytes of the vectors moved, at most those of the machine.
  var vectorByteCount = Self.machineVectorByteCount

  /// The fewest elements worth a thread.
  private static let threadGrain = 1 << 16

  /// Reads the input once and fills the output.
  ///
  /// - Returns: the sum of the input's 64-bit words, as `stream_limit_move` defines it.
  @discardableResult
  func move(_ stores: Stores) -> UInt64 {
    nonisolated(unsafe) let (input, output) = (input, output)
    let (elementCount, vectorByteCount) = (elementCount, vectorByteCount)
    let sums = parallelism.map(count: elementCount, grain: Self.threadGrain) { range in
      /// The first whole line at or below a share of the bytes; all of them for the last share.
      func boundary(_ element: Int, _ byteCount: Int) -> Int {
        element == elementCount ? byteCount : byteCount * element / elementCount / 64 * 64
      }
      func part(_ byteCount: Int) -> Range<Int> {
        boundary(range.lowerBound, byteCount)..<boundary(range.upperBound, byteCount)
      }
      let source = UnsafeRawBufferPointer(rebasing: input[part(input.count)])
      let target = UnsafeMutableRawBufferPointer(rebasing: output[part(output.count)])
      return stream_limit_move(
        source.baseAddress, source.count, target.baseAddress, target.count, Self.pattern,
        stores == .ordinary ? STREAM_LIMIT_ORDINARY : STREAM_LIMIT_NON_TEMPORAL,
        vectorByteCount)
    }
    return sums.reduce(0, &+)
  }

  /// The bytes of the widest vectors of this machine.
  static let machineVectorByteCount = stream_limit_vector_bytes()
}
