/// A deflate stream that is written field by field.
struct BitStream {
  private(set) var bytes: [UInt8] = []
  private var bitCount = 0

  /// Appends a number, its lowest bit first, as all fields of a deflate stream but codes are.
  mutating func append(_ value: Int, bits count: Int) {
    for index in 0..<count {
      if bitCount % 8 == 0 { bytes.append(0) }
      bytes[bitCount / 8] |= UInt8(value >> index & 1) << UInt8(bitCount % 8)
      bitCount += 1
    }
  }

  /// Appends a code, its highest bit first.
  mutating func append(code: Int, bits count: Int) {
    for index in (0..<count).reversed() { append(code >> index & 1, bits: 1) }
  }

  /// Appends the first bits of a block: whether it is the last, and its type.
  mutating func beginBlock(type: Int, isLast: Bool = true) {
    append(isLast ? 1 : 0, bits: 1)
    append(type, bits: 2)
  }

  /// Appends a stored block.
  mutating func appendStored(_ data: [UInt8], isLast: Bool = true) {
    beginBlock(type: 0, isLast: isLast)
    bitCount = bytes.count * 8
    append(data.count, bits: 16)
    append(~data.count & 0xffff, bits: 16)
    bytes += data
    bitCount = bytes.count * 8
  }

  /// Appends the lengths of the codes of a block, of which each stands for itself in four or five bits.
  ///
  /// The code of lengths has 13 codes of 4 bits for the lengths from 0 to 12, and 6 of 5 bits.
  mutating func appendLengths(literals: [Int], distances: [Int]) {
    appendSymbolCounts(literals: literals.count, distances: distances.count)
    for length in literals + distances { appendLength(length) }
  }

  /// Appends what a block begins with: how many symbols it has, and the code of their lengths.
  mutating func appendSymbolCounts(literals: Int, distances: Int) {
    append(literals - 257, bits: 5)
    append(distances - 1, bits: 5)
    append(19 - 4, bits: 4)
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] {
      append(symbol < 13 ? 4 : 5, bits: 3)
    }
  }

  /// Appends a symbol of the code of lengths above.
  mutating func appendLength(_ symbol: Int) {
    if symbol < 13 {
      append(code: symbol, bits: 4)
    } else {
      append(code: 26 + symbol - 13, bits: 5)
    }
  }

  // MARK: The fixed codes

  /// Appends a literal or length symbol in the fixed code.
  ///
  /// Source: the table of RFC 1951, 3.2.6.
  mutating func appendFixed(_ symbol: Int) {
    switch symbol {
    case ..<144: append(code: 0b0011_0000 + symbol, bits: 8)
    case ..<256: append(code: 0b1_1001_0000 + symbol - 144, bits: 9)
    case ..<280: append(code: symbol - 256, bits: 7)
    default: append(code: 0b1100_0000 + symbol - 280, bits: 8)
    }
  }

  /// Appends a copy in the fixed codes.
  mutating func appendCopy(length: Int, distance: Int) {
    let length = Self.symbol(of: length, in: Self.lengths)
    appendFixed(257 + length.index)
    append(length.extra, bits: length.bits)
    let distance = Self.symbol(of: distance, in: Self.distances)
    append(code: distance.index, bits: 5)
    append(distance.extra, bits: distance.bits)
  }

  private static func symbol(
    of value: Int, in table: [(first: Int, bits: Int)]
  ) -> (index: Int, extra: Int, bits: Int) {
    let index = table.lastIndex { $0.first <= value } ?? 0
    return (index, value - table[index].first, table[index].bits)
  }

  /// The first length of each symbol from 257 on, and its extra bits: the table of RFC 1951, 3.2.5.
  static let lengths: [(first: Int, bits: Int)] = [
    (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1),
    (17, 1), (19, 2), (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4),
    (83, 4), (99, 4), (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0),
  ]

  /// The first distance of each symbol, and its extra bits.
  static let distances: [(first: Int, bits: Int)] = [
    (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4),
    (49, 4), (65, 5), (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8),
    (1025, 9), (1537, 9), (2049, 10), (3073, 10), (4097, 11), (6145, 11), (8193, 12), (12289, 12),
    (16385, 13), (24577, 13),
  ]
}
