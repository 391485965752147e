/// The random bits of stochastic rounding, written a second time from the definition.
///
/// Four elements share a Philox4x32-10 block: element i takes word i mod 4 of block floor(i / 4).
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.
public struct ReferenceRandomBits: Sendable {
  public var seed: UInt64
  public var stream: UInt32
  /// The number of bits taken from the top of a word, 1...32.
  public var bitCount: Int

  public init(seed: UInt64, stream: UInt32 = 0, bitCount: Int = 32) {
    self.seed = seed
    self.stream = stream
    self.bitCount = bitCount
  }

  /// The bits of the element with a row-major index.
  public func bits(ofElement index: UInt64) -> UInt32 {
    let (quad, position) = index.quotientAndRemainder(dividingBy: 4)
    let seedHalves = Self.halves(seed)
    let quadHalves = Self.halves(quad)
    let words = Self.philox(
      counter: [quadHalves.low, quadHalves.high, seedHalves.high, 0], key: [seedHalves.low, stream])
    return UInt32(UInt64(words[Int(position)]) / (1 << UInt64(32 - bitCount)))
  }

  /// Ten rounds of Philox4x32.
  ///
  /// Words 2p and 2p + 1 of a round come from the product of the other pair's even word, the odd
  /// word of their own pair, and key word p.
  public static func philox(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    let multipliers: [UInt32] = [0xD251_1F53, 0xCD9E_8D57]
    // The golden ratio less one, and the square root of three less one, in units of 2^-32.
    let weyl: [UInt32] = [0x9E37_79B9, 0xBB67_AE85]
    return (0..<10 as Range<UInt32>).reduce(counter) { words, round in
      let products = [0, 1].map { multipliers[$0].multipliedFullWidth(by: words[2 * $0]) }
      let roundKey = [0, 1].map { key[$0] &+ round &* weyl[$0] }
      return [0, 1].flatMap { pair in
        let other = products[1 - pair]
        return [other.high ^ words[2 * pair + 1] ^ roundKey[pair], other.low]
      }
    }
  }

  private static func halves(_ value: UInt64) -> (low: UInt32, high: UInt32) {
    (UInt32(value % (1 << 32)), UInt32(value / (1 << 32)))
  }
}
