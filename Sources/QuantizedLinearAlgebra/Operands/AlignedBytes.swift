/// Bytes on a cache line boundary with the semantics of a value: copies share memory until one of
/// them is written.
struct AlignedBytes: Sendable {
  private var storage: Storage

  /// The number of bytes.
  var byteCount: Int { storage.byteCount }

  /// Zeros.
  init(byteCount: Int) {
    storage = Storage(byteCount: byteCount)
    storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }

  /// Lends the bytes for reading.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
    withExtendedLifetime(storage) { body(UnsafeRawPointer(storage.base)) }
  }

  /// Lends the bytes for writing, after copying them where another value shares them.
  mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawPointer) -> Result
  ) -> Result {
    if !isKnownUniquelyReferenced(&storage) {
      let own = Storage(byteCount: byteCount)
      own.base.copyMemory(from: storage.base, byteCount: byteCount)
      storage = own
    }
    return withExtendedLifetime(storage) { body(storage.base) }
  }

  private final class Storage: Sendable {
    /// Writes go through `withUnsafeMutableBytes`, to memory that no other value shares.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let byteCount: Int

    private static let alignment = 64

    init(byteCount: Int) {
      self.byteCount = byteCount
      base = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
    }

    deinit { base.deallocate() }
  }
}
