#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#endif

/// Memory between two pages that trap on every access, so that a single byte read or written
/// outside ends the test process.
///
/// `atEnd` lies directly before the page behind, `atStart` directly behind the page before.
public final class GuardedMemory {
  private let base: UnsafeMutableRawPointer
  private let page: Int
  /// Usable bytes, whole pages.
  public let capacity: Int

  public init(_ byteCount: Int) {
    page = Int(sysconf(Int32(_SC_PAGESIZE)))
    capacity = max(1, (byteCount + page - 1) / page) * page
    #if canImport(Darwin)
    let anonymous = MAP_ANON
    #else
    let anonymous = MAP_ANONYMOUS
    #endif
    let memory = mmap(nil, capacity + 2 * page, PROT_NONE, MAP_PRIVATE | anonymous, -1, 0)
    guard let memory, memory != MAP_FAILED,
      mprotect(memory + page, capacity, PROT_READ | PROT_WRITE) == 0
    else { fatalError("no memory for \(byteCount) guarded bytes") }
    base = memory
  }

  deinit { munmap(base, capacity + 2 * page) }

  /// The first bytes.
  public func atStart(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + page, count: byteCount)
  }

  /// The last bytes.
  public func atEnd(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + page + capacity - byteCount, count: byteCount)
  }

  /// Bytes that begin `offset` behind the page before, with a pattern around them.
  public func patterned(_ byteCount: Int, at offset: Int) -> UnsafeMutableRawBufferPointer {
    let all = atStart(min(capacity, offset + byteCount + Self.guardedCount))
    all.initializeMemory(as: UInt8.self, repeating: Self.pattern)
    return UnsafeMutableRawBufferPointer(rebasing: all[offset..<offset + byteCount])
  }

  /// Whether the bytes next to a part made by `patterned` still hold the pattern.
  public func isIntact(outside part: UnsafeMutableRawBufferPointer) -> Bool {
    let all = atStart(capacity)
    guard let first = part.baseAddress, let start = all.baseAddress else { return false }
    let (begin, end) = (first - start, first - start + part.count)
    return all[max(0, begin - Self.guardedCount)..<begin].allSatisfy { $0 == Self.pattern }
      && all[end..<min(end + Self.guardedCount, capacity)].allSatisfy { $0 == Self.pattern }
  }

  /// The bytes that hold a pattern on each side; more than a vector.
  private static let guardedCount = 128
  /// The pattern.
  public static let pattern: UInt8 = 0xA5
}
