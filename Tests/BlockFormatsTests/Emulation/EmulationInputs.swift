/// The inputs and hashes of `Tests/Emulation/Driver/Inputs.h`, made again in Swift.
enum EmulationInputs {
  /// SplitMix64's output for a counter.
  static func mixed(_ seed: UInt64, _ index: UInt64) -> UInt64 {
    var z = seed &* 0xD134_2543_DE82_EF95 &+ (index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static let special: [UInt32] = [
    0x0000_0000, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC0_0001, 0x7F80_0001,
    0x0000_0001, 0x807F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x3F80_0000, 0xBF80_0000,
    0x4780_0000, 0x3380_0000,
  ]

  /// The pattern of an FP32 value of any kind.
  static func sample(_ seed: UInt64, _ index: UInt64) -> UInt32 {
    let z = mixed(seed, index)
    let word = UInt32(truncatingIfNeeded: z)
    let upper = UInt32(truncatingIfNeeded: z >> 32)
    switch z >> 60 {
    case 0..<3: return word
    case 3..<9:
      let bits = UInt32(truncatingIfNeeded: z >> 40) % 7
      let fraction = word & 0x7F_FFFF & ~(0x7F_FFFF >> bits)
      let tie = (word & 0x8000_0000) | (100 + upper % 48) << 23 | fraction
      return z >> 60 < 7 ? tie : z >> 60 == 7 ? tie + 1 : tie - 1
    case 9: return word & 0x807F_FFFF
    case 10: return special[Int(upper % 16)]
    default: return (word & 0x807F_FFFF) | (118 + upper % 16) << 23
    }
  }

  /// The pattern of a value of the size of its neighbours: few significant bits or many, or zero.
  static func rowSample(_ seed: UInt64, _ index: UInt64) -> UInt32 {
    let z = mixed(seed, index)
    let word = UInt32(truncatingIfNeeded: z)
    guard z >> 60 > 0 else { return word & 0x8000_0000 }
    let size = 100 + UInt32(mixed(seed + 1, index / 96) % 48)
    let fraction = word & 0x7F_FFFF & ~(0x7F_FFFF >> (UInt32(truncatingIfNeeded: z >> 40) % 24))
    let exponent = size + UInt32(truncatingIfNeeded: z >> 32) % 6
    return (word & 0x8000_0000) | exponent << 23 | fraction
  }

  /// As `rowSample`, from 2^first on through `count` binades.
  static func sample(_ seed: UInt64, _ index: UInt64, from first: Int, count: UInt32) -> UInt32 {
    let bits = rowSample(seed, index)
    let field = bits >> 23 & 0xFF
    return field == 0
      ? bits : (bits & 0x807F_FFFF) | (UInt32(127 + first) + field % count) << 23
  }

  /// FNV-1a with 64 bits.
  struct Hash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) {
      value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    mutating func add(_ word: UInt32) {
      withUnsafeBytes(of: word.littleEndian) { for byte in $0 { add(byte) } }
    }
  }
}
