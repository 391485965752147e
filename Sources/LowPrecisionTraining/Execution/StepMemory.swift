/// Memory for what one training step makes: handed out in order, taken back all at once.
///
/// Steps ask for the same sizes, or nearly so where experts get varying numbers of tokens, so after the
/// first ones nothing is allocated here.
final class StepMemory {
  private var chunks: [Chunk] = []
  private var current = 0
  private var used = 0

  private struct Chunk {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
  }

  /// The bytes of a cache line, and of the widest vectors of any level.
  private static let alignment = 64
  /// The bytes of a chunk that no single request exceeds: 16 MiB, so that chunks are few.
  private static let usualChunk = 16 << 20

  /// The bytes that steps have needed at most, with what rounding to chunks adds.
  var byteCount: Int { chunks.reduce(0) { $0 + $1.byteCount } }

  deinit {
    for chunk in chunks { chunk.base.deallocate() }
  }

  /// Numbers that are not set.
  func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let size = (bytes + Self.alignment - 1) / Self.alignment * Self.alignment
    while current < chunks.count, used + size > chunks[current].byteCount {
      current += 1
      used = 0
    }
    if current == chunks.count {
      let byteCount = max(size, Self.usualChunk)
      chunks.append(
        Chunk(
          base: .allocate(byteCount: byteCount, alignment: Self.alignment), byteCount: byteCount))
    }
    let place = chunks[current].base + used
    used += size
    return place.bindMemory(to: Float.self, capacity: count)
  }

  /// Integers that are not set.
  func integers(_ count: Int) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(floats(count)).bindMemory(to: Int32.self, capacity: count)
  }

  /// Runs `body` and takes back what it asked for.
  ///
  /// `body` must not ask for anything that outlives it, such as a gradient.
  func temporarily<Result>(_ body: () -> Result) -> Result {
    let (chunk, count) = (current, used)
    defer { (current, used) = (chunk, count) }
    return body()
  }

  /// Takes everything back.
  func reset() {
    current = 0
    used = 0
  }
}
