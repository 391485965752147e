import CallerChecks

/// The bytes of a ggml type's blocks.
enum GGMLBytes: Hashable, Sendable {
  /// Those of `BlockPacking.halves(numbers:bits:)`.
  case halves(numbers: Int, bits: Int)
  case q8_0, tq1_0, tq2_0, q2_k, q3_k, q4_k, q5_k, q6_k

  /// The places of the fields in them.
  var packing: BlockPacking {
    switch self {
    case .halves(let numbers, let bits): .halves(numbers: numbers, bits: bits)
    case .q8_0: .q8_0
    case .tq1_0: .tq1_0
    case .tq2_0: .tq2_0
    case .q2_k: .q2_k
    case .q3_k: .q3_k
    case .q4_k: .q4_k
    case .q5_k: .q5_k
    case .q6_k: .q6_k
    }
  }
}

/// The bytes of ggml's blocks, as its C structures have them; numbers are little-endian.
///
/// The functions take fields in the order of the layouts of their encoders, the codes first.
extension BlockPacking {
  /// The bytes of blocks in one stream.
  private static func ggml(
    byteCount: Int, place: @escaping @Sendable (_ field: Int, _ index: Int, _ bit: Int) -> Int
  ) -> BlockPacking {
    BlockPacking("ggml", streams: [("blocks", byteCount: byteCount)]) { field, index, bit in
      Place(bit: place(field, index, bit))
    }
  }

  /// FP16 numbers of the block, the fifth bits of 32 codes where they have one, and sixteen bytes of
  /// four bits each: code j beside code j + 16.
  fileprivate static func halves(numbers: Int, bits: Int) -> BlockPacking {
    let codes = 16 * numbers + (bits == 5 ? 32 : 0)
    return ggml(byteCount: codes / 8 + 16) { field, index, bit in
      switch (field, bit) {
      case (1..., _): 16 * (field - 1) + bit
      case (_, 4): 16 * numbers + index
      default: codes + 8 * (index % 16) + 4 * (index / 16) + bit
      }
    }
  }

  /// The scale and 32 bytes of codes in their order.
  fileprivate static let q8_0 = ggml(byteCount: 34) { field, index, bit in
    field == 0 ? 16 + 8 * index + bit : bit
  }

  /// 64 bytes of codes and the scale.
  fileprivate static let tq2_0 = ggml(byteCount: 66) { field, index, bit in
    field == 0 ? quarter(index) + bit : 8 * 64 + bit
  }

  /// Sixteen bytes of the parts' numbers, s in the low half, 64 of codes, and D and M.
  fileprivate static let q2_k = ggml(byteCount: 84) { field, index, bit in
    switch field {
    case GGMLLineFormat.Field.codes: 8 * 16 + quarter(index) + bit
    case GGMLLineFormat.Field.scales: 8 * index + bit
    case GGMLLineFormat.Field.mins: 8 * index + 4 + bit
    case GGMLLineFormat.Field.blockScale: 8 * 80 + bit
    default: 8 * 82 + bit
    }
  }

  /// 32 bytes of the codes' high bits, 64 of their low ones, twelve of the parts' numbers, and D.
  ///
  /// Eight bytes hold the low halves of the parts' numbers, those of part p beside those of p + 8; the
  /// other four the high two bits, those of the parts p, p + 4, p + 8 and p + 12 in one byte.
  fileprivate static let q3_k = ggml(byteCount: 110) { field, index, bit in
    switch (field, bit) {
    case (GGMLFactorFormat.Field.codes, 2): 8 * (index % 32) + index / 32
    case (GGMLFactorFormat.Field.codes, _): 8 * 32 + quarter(index) + bit
    case (GGMLFactorFormat.Field.scales, 0...3): 8 * (96 + index % 8) + 4 * (index / 8) + bit
    case (GGMLFactorFormat.Field.scales, _): 8 * (104 + index % 4) + 2 * (index / 4) + bit - 4
    default: 8 * 108 + bit
    }
  }

  /// D, M, twelve bytes of the parts' numbers, and 128 of codes, those of two neighbouring parts in the
  /// halves of a byte.
  fileprivate static let q4_k = ggml(byteCount: 144) { field, index, bit in
    field == GGMLLineFormat.Field.codes
      ? 8 * 16 + half(index) + bit : numberOfEightParts(field, index, bit)
  }

  /// As `q4_k`, with 32 bytes before the codes: in bit p of byte j the fifth bit of code j of part p.
  fileprivate static let q5_k = ggml(byteCount: 176) { field, index, bit in
    switch (field, bit) {
    case (GGMLLineFormat.Field.codes, 4): 8 * (16 + index % 32) + index / 32
    case (GGMLLineFormat.Field.codes, _): 8 * 48 + half(index) + bit
    default: numberOfEightParts(field, index, bit)
    }
  }

  /// 128 bytes of the codes' low halves, 64 of their high two bits, sixteen of the parts' numbers, and D.
  ///
  /// Of 128 codes each, code j and j + 64 share a byte of low halves, and the codes j, j + 32, j + 64 and
  /// j + 96 one of high bits.
  fileprivate static let q6_k = ggml(byteCount: 210) { field, index, bit in
    switch (field, bit) {
    case (GGMLFactorFormat.Field.codes, 0...3):
      8 * (64 * (index / 128) + index % 64) + 4 * (index % 128 / 64) + bit
    case (GGMLFactorFormat.Field.codes, _): 8 * 128 + quarter(index) + bit - 4
    case (GGMLFactorFormat.Field.scales, _): 8 * (192 + index) + bit
    default: 8 * 208 + bit
    }
  }

  // MARK: - Parts of several

  /// The first of two bits of a code: of 128 codes each, j, j + 32, j + 64 and j + 96 share a byte.
  private static func quarter(_ index: Int) -> Int {
    8 * (32 * (index / 128) + index % 32) + 2 * (index % 128 / 32)
  }

  /// The first of four bits of a code: of 64 codes each, j and j + 32 share a byte.
  private static func half(_ index: Int) -> Int {
    8 * (32 * (index / 64) + index % 32) + 4 * (index % 64 / 32)
  }

  /// A bit of D, M and the twelve bytes behind them.
  ///
  /// The numbers of the first four parts lie in the low six bits of four bytes each; of the others, the
  /// low four bits in the last four bytes and the high two above those of the part four before.
  private static func numberOfEightParts(_ field: Int, _ index: Int, _ bit: Int) -> Int {
    switch field {
    case GGMLLineFormat.Field.blockScale: return bit
    case GGMLLineFormat.Field.blockMin: return 16 + bit
    default:
      let isOffset = field == GGMLLineFormat.Field.mins
      let first = isOffset ? 8 : 4
      if index < 4 { return 8 * (first + index) + bit }
      return bit < 4
        ? 8 * (12 + index - 4) + (isOffset ? 4 : 0) + bit
        : 8 * (first + index - 4) + 2 + bit
    }
  }
}

// MARK: - Trits

extension BlockPacking {
  /// 52 bytes of trits, and the scale.
  ///
  /// Five trits, the first one the highest, make a number t below 243, stored as 256 · t / 243 rounded up:
  /// trit n is the integer part of 3 · f, with f the fraction of 3^n · byte / 256. The first 32 bytes hold
  /// 160 codes, the codes j, j + 32, ... j + 128 in byte j; sixteen hold the next 80 likewise, and four the
  /// last sixteen, with a fifth trit of 0.
  fileprivate static let tq1_0 = BlockPacking(
    "ggml", streams: [("blocks", byteCount: 54)],
    pack: { codes in
      var bytes = [UInt8](repeating: 0, count: 52)
      for group in tritGroups {
        for byte in 0..<group.byteCount {
          var number = 0
          for trit in 0..<5 {
            number *= 3
            guard trit < group.tritCount else { continue }
            let code = codes[0][group.firstCode + trit * group.byteCount + byte]
            require(code < 3, "code \(code) is none of the three that ggml's bytes of tq1_0 hold")
            number += Int(code)
          }
          bytes[group.firstByte + byte] = UInt8((number * 256 + 242) / 243)
        }
      }
      let scale = codes[1][0]
      return [bytes + [UInt8(scale & 0xFF), UInt8(scale >> 8)]]
    },
    unpack: { streams in
      let bytes = Array(streams[0])
      var codes = [UInt32](repeating: 0, count: 256)
      for group in tritGroups {
        for byte in 0..<group.byteCount {
          var fraction = UInt32(bytes[group.firstByte + byte])
          for trit in 0..<group.tritCount {
            codes[group.firstCode + trit * group.byteCount + byte] = (3 * fraction) >> 8
            fraction = 3 * fraction & 0xFF
          }
        }
      }
      return [codes, [UInt32(bytes[52]) | UInt32(bytes[53]) << 8]]
    })

  /// Bytes that hold equally many trits.
  private struct TritGroup {
    let firstByte: Int
    let byteCount: Int
    let firstCode: Int
    let tritCount: Int
  }

  private static let tritGroups = [
    TritGroup(firstByte: 0, byteCount: 32, firstCode: 0, tritCount: 5),
    TritGroup(firstByte: 32, byteCount: 16, firstCode: 160, tritCount: 5),
    TritGroup(firstByte: 48, byteCount: 4, firstCode: 240, tritCount: 4),
  ]
}
