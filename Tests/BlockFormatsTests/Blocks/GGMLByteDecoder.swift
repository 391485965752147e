import FormatTestSupport

/// ggml's blocks decoded from their bytes, written a second time: no fields, no layouts, no packings.
enum GGMLByteDecoder {
  /// The bytes of a block and where its FP16 numbers lie, by id.
  static let shapes: [String: (byteCount: Int, halves: [Int])] = [
    "q4_0": (18, [0]), "q4_1": (20, [0, 2]), "q5_0": (22, [0]), "q5_1": (24, [0, 2]),
    "q8_0": (34, [0]), "iq4_nl": (18, [0]), "tq1_0": (54, [52]), "tq2_0": (66, [64]),
    "q2_k": (84, [80, 82]), "q3_k": (110, [108]), "q4_k": (144, [0, 2]), "q5_k": (176, [0, 2]),
    "q6_k": (210, [208]),
  ]

  /// The values of a block.
  static func values(_ id: String, _ bytes: [UInt8]) -> [Float] {
    let b = bytes.map { Int($0) }
    let halves = (shapes[id]?.halves ?? []).map { half(b[$0] | b[$0 + 1] << 8) }
    let (d, m) = (halves[0], halves.count > 1 ? halves[1] : 0)
    switch id {
    case "q4_0": return nibbles(b[2...]).map { Float($0 - 8) * d }
    case "q4_1": return nibbles(b[4...]).map { Float($0) * d + m }
    case "q5_0": return fives(b[2..<6], b[6...]).map { Float($0 - 16) * d }
    case "q5_1": return fives(b[4..<8], b[8...]).map { Float($0) * d + m }
    case "q8_0": return b[2...].map { Float($0 < 128 ? $0 : $0 - 256) * d }
    case "iq4_nl": return nibbles(b[2...]).map { table[$0] * d }
    case "tq1_0": return trits(b).map { Float($0 - 1) * d }
    case "tq2_0": return (0..<256).map { Float(quarter(b, 0, $0) - 1) * d }
    case "q2_k":
      return (0..<256).map { i in
        let part = b[i / 16]
        return d * Float(part & 15) * Float(quarter(b, 16, i)) - m * Float(part >> 4)
      }
    case "q3_k":
      return (0..<256).map { i in
        let p = i / 16
        let low = p < 8 ? b[96 + p] & 15 : b[88 + p] >> 4
        let scale = (low | (b[104 + p % 4] >> (2 * (p / 4)) & 3) << 4) - 32
        let isHigh = b[i % 32] >> (i / 32) & 1 == 1
        return d * Float(scale) * Float(quarter(b, 32, i) - (isHigh ? 0 : 4))
      }
    case "q4_k": return lines(b, d, m) { i in four(b, 16, i) }
    case "q5_k":
      return lines(b, d, m) { i in four(b, 48, i) + (b[16 + i % 32] >> (i / 32) & 1) * 16 }
    case "q6_k":
      return (0..<256).map { i in
        let (half, j) = (i / 128, i % 128)
        let low = b[64 * half + j % 64] >> (j < 64 ? 0 : 4) & 15
        let scale = b[192 + i / 16]
        let q = low + quarter(b, 128, i) * 16 - 32
        return d * Float(scale < 128 ? scale : scale - 256) * Float(q)
      }
    default: return []
    }
  }

  private static let table: [Float] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]

  private static func half(_ bits: Int) -> Float {
    Float(ReferenceFacts.named("fp16").element.value(of: bits))
  }

  private static func nibbles(_ bytes: ArraySlice<Int>) -> [Int] {
    bytes.map { $0 & 15 } + bytes.map { $0 >> 4 }
  }

  private static func fives(_ high: ArraySlice<Int>, _ low: ArraySlice<Int>) -> [Int] {
    let word = high.reversed().reduce(0) { $0 << 8 | $1 }
    return nibbles(low).enumerated().map { $1 | (word >> $0 & 1) << 4 }
  }

  /// Two bits of 128 elements in 32 bytes.
  private static func quarter(_ b: [Int], _ start: Int, _ i: Int) -> Int {
    b[start + i / 128 * 32 + i % 32] >> (2 * (i % 128 / 32)) & 3
  }

  /// Four bits of 64 elements in 32 bytes.
  private static func four(_ b: [Int], _ start: Int, _ i: Int) -> Int {
    b[start + i / 64 * 32 + i % 32] >> (i % 64 < 32 ? 0 : 4) & 15
  }

  /// Eight factors and offsets of six bits in twelve bytes.
  private static func lines(_ b: [Int], _ d: Float, _ m: Float, _ code: (Int) -> Int) -> [Float] {
    (0..<256).map { i in
      let part = i / 32
      let s =
        part < 4
        ? (b[4 + part] & 63, b[8 + part] & 63)
        : (
          b[8 + part] & 15 | (b[part] >> 6) * 16, b[8 + part] >> 4 | (b[4 + part] >> 6) * 16
        )
      return d * Float(s.0) * Float(code(i)) - m * Float(s.1)
    }
  }

  private static func trits(_ b: [Int]) -> [Int] {
    [(0, 32, 5), (32, 16, 5), (48, 4, 4)].flatMap { start, count, digits in
      (0..<digits).flatMap { digit in
        (start..<start + count).map { byte in
          let power = [1, 3, 9, 27, 81][digit]
          return (b[byte] * power % 256) * 3 / 256
        }
      }
    }
  }
}
