/// Memory on a cache line boundary that grows on demand and is freed with its owner.
final class AlignedMemory {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var byteCount: Int

  private static let alignment = 64

  init(byteCount: Int = 0) {
    self.byteCount = byteCount
    base = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
  }

  deinit { base.deallocate() }

  /// At least `byteCount` bytes; growing loses the contents.
  func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if byteCount > self.byteCount {
      base.deallocate()
      base = .allocate(byteCount: byteCount, alignment: Self.alignment)
      self.byteCount = byteCount
    }
    return base
  }

  /// The same as numbers of a type.
  func reserve<Number>(_ count: Int, of type: Number.Type) -> UnsafeMutablePointer<Number> {
    reserve(count * MemoryLayout<Number>.stride).bindMemory(to: type, capacity: count)
  }
}
