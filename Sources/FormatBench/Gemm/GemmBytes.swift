import CallerChecks

/// Memory of a measured call, from a page boundary on; every page is written before the first.
final class GemmBytes {
  let bytes: UnsafeMutableRawBufferPointer

  /// The largest pages in use, those of Apple silicon.
  private static let pageByteCount = 16 << 10

  /// Memory of a size in bytes.
  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: Self.pageByteCount)
    bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
  }

  /// A copy of numbers.
  convenience init(_ values: [Float]) {
    self.init(byteCount: 4 * values.count)
    values.withUnsafeBytes { bytes.copyMemory(from: $0) }
  }

  deinit { bytes.deallocate() }

  /// The first byte; there is at least one.
  var base: UnsafeMutableRawPointer {
    guard let base = bytes.baseAddress else { refuse("no memory to measure in") }
    return base
  }
}
