/// The counter-based generator Philox4x32-10: four random words as a pure function of a key and a
/// counter.
///
/// There is no state to advance. Any element of a tensor can find its own random bits from its own
/// index, so a result never depends on the order of evaluation, the number of threads or the layout
/// in memory.
///
/// One round maps the counter words (c0, c1, c2, c3) under the key words (k0, k1) to
///
///     (hi(M1 * c2) ^ c1 ^ k0, lo(M1 * c2), hi(M0 * c0) ^ c3 ^ k1, lo(M0 * c0))
///
/// where `hi` and `lo` are the halves of the 64-bit product, M0 = 0xD2511F53 and M1 = 0xCD9E8D57.
/// Ten rounds are made; between rounds k0 grows by 0x9E3779B9 and k1 by 0xBB67AE85, modulo 2^32.
///
/// For a fixed key the map from counter to block is a bijection on 128-bit values, so distinct
/// counters never give equal blocks. It is not a cryptographic generator.
///
/// Source: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11,
/// doi:10.1145/2063384.2063405.
@frozen
public struct Philox4x32: Hashable, Sendable {
  @usableFromInline let k0: UInt32
  @usableFromInline let k1: UInt32

  /// Creates the generator of one key.
  ///
  /// - Parameter key: The two key words, any values; the first is the less significant word of a
  ///   64-bit seed.
  @inlinable
  public init(key: (UInt32, UInt32)) {
    k0 = key.0
    k1 = key.1
  }

  /// Creates the generator whose key words are the low and the high half of a seed.
  @inlinable
  public init(seed: UInt64) {
    self.init(key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// The two key words.
  @inlinable
  public var key: (UInt32, UInt32) { (k0, k1) }

  /// Returns the four random words of a counter.
  ///
  /// - Parameter counter: The four counter words c0 to c3, any values.
  /// - Complexity: O(1): twenty 32 x 32 -> 64 bit multiplications.
  @inlinable
  @inline(__always)
  public func block(counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var c0 = counter[0]
    var c1 = counter[1]
    var c2 = counter[2]
    var c3 = counter[3]
    var k0 = k0
    var k1 = k1
    for _ in 0..<10 {
      let a = UInt64(c0) &* 0xD251_1F53
      let b = UInt64(c2) &* 0xCD9E_8D57
      c0 = UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0
      c1 = UInt32(truncatingIfNeeded: b)
      c2 = UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1
      c3 = UInt32(truncatingIfNeeded: a)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }
}
