import CallerChecks

/// What the next bits of a deflate stream stand for.
///
/// A word of: the length of the code (bits 0 to 7), a number of bits that belong to it (8 to 12), the
/// kind (13 to 15) and a value (16 to 31).
struct PrefixEntry {
  enum Kind: UInt32 {
    /// The value is a byte, or the length of a code.
    case literal
    /// The value is the smallest length or distance, to which the bits that follow are added.
    case base
    case endOfBlock
    /// The value is where a table for the bits after the first ones starts.
    case table
    /// No symbol has this code.
    case unused
  }

  private let word: UInt32

  init(_ kind: Kind, value: Int = 0, extraBits: Int = 0) {
    word = UInt32(value) << 16 | kind.rawValue << 13 | UInt32(extraBits) << 8
  }

  private init(word: UInt32) { self.word = word }

  func ofLength(_ length: Int) -> PrefixEntry { PrefixEntry(word: word | UInt32(length)) }

  var isLiteral: Bool { word & 0xe000 == 0 }
  var isBase: Bool { word & 0xe000 == 0x2000 }
  var isTable: Bool { word & 0xe000 == 0x6000 }
  var isEndOfBlock: Bool { word & 0xe000 == 0x4000 }
  var isUnused: Bool { word & 0xe000 == 0x8000 }
  /// Of a table: how many bits select one of its entries.
  var extraBits: Int { Int(word >> 8 & 31) }
  var length: Int { Int(word & 255) }
  var value: Int { Int(word >> 16) }
  var byte: UInt8 { UInt8(truncatingIfNeeded: word >> 16) }
}

/// A prefix code of a deflate block as a table: the next bits are the index of an entry.
///
/// Codes that are longer than the index lead to a second table. Source: RFC 1951, 3.2.2.
struct PrefixCode {
  /// The bits that the table is indexed with.
  private(set) var indexBits = 0
  private(set) var entries: [PrefixEntry] = []

  private let kind: InflateFault.Code
  private var reversedCodes = [UInt16](repeating: 0, count: 320)

  /// A code for nothing, until it is made from lengths.
  init(_ kind: InflateFault.Code) { self.kind = kind }

  /// The code for literals and lengths of blocks that bring none.
  ///
  /// Source: RFC 1951, 3.2.6.
  static let fixedLiterals = fixed(.literals, [(144, 8), (112, 9), (24, 7), (8, 8)])
  /// The code for distances of blocks that bring none.
  static let fixedDistances = fixed(.distances, [(32, 5)])

  private static func fixed(
    _ kind: InflateFault.Code, _ runs: [(count: Int, length: UInt8)]
  ) -> PrefixCode {
    var code = PrefixCode(kind)
    let lengths = runs.flatMap { [UInt8](repeating: $0.length, count: $0.count) }
    do {
      try code.make(lengths: lengths[...])
    } catch {
      refuse("the fixed code has \(error.reason)")
    }
    return code
  }

  /// The entry that the next bits select in the first table.
  @inline(__always)
  func firstEntry(for bits: UInt64) -> PrefixEntry {
    entries[Int(truncatingIfNeeded: bits & (1 &<< UInt64(truncatingIfNeeded: indexBits) &- 1))]
  }

  /// The entry that the next bits select, in the second table if need be.
  @inline(__always)
  func entry(for bits: UInt64) -> PrefixEntry {
    let entry = firstEntry(for: bits)
    guard entry.isTable else { return entry }
    let rest = bits &>> UInt64(truncatingIfNeeded: indexBits)
    let mask = 1 &<< UInt64(truncatingIfNeeded: entry.extraBits) &- 1
    return entries[entry.value + Int(truncatingIfNeeded: rest & mask)]
  }

  /// Replaces the code by that in which each symbol has a length; a symbol of length 0 has no code.
  ///
  /// The lengths must fill all bit strings exactly. As in zlib, a single code of one bit may stand
  /// alone, but not among code lengths, and there may be no distances at all.
  mutating func make(lengths: ArraySlice<UInt8>) throws(InflateFault) {
    var counts: [16 of Int] = .init(repeating: 0)
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    let longest = try checked(counts)
    reverseCodes(lengths, counts)

    indexBits = max(1, min(longest, kind.largestIndexBits))
    entries.removeAll(keepingCapacity: true)
    entries.append(contentsOf: repeatElement(PrefixEntry(.unused), count: 1 << indexBits))
    if longest > indexBits { addTables(lengths) }
    for (symbol, length) in lengths.enumerated() where length > 0 {
      add(kind.entry(symbol), code: Int(reversedCodes[symbol]), length: Int(length))
    }
  }

  /// The longest of the lengths that so many symbols have.
  private func checked(_ counts: [16 of Int]) throws(InflateFault) -> Int {
    var free = 1
    var longest = 0
    for length in 1...15 {
      free = 2 * free - counts[length]
      guard free >= 0 else { throw .overSubscribed(kind) }
      if counts[length] > 0 { longest = length }
    }
    let isAllowed =
      switch kind {
      case .lengths: free == 0
      case .literals: free == 0 || longest == 1
      case .distances: free == 0 || longest <= 1
      }
    guard isAllowed else { throw .incomplete(kind) }
    return longest
  }

  /// Finds each symbol's code, whose first bit becomes the lowest: the order in which they are read.
  private mutating func reverseCodes(_ lengths: ArraySlice<UInt8>, _ counts: [16 of Int]) {
    var next: [16 of UInt16] = .init(repeating: 0)
    for length in 2...15 { next[length] = (next[length - 1] + UInt16(counts[length - 1])) << 1 }
    for (symbol, length) in lengths.enumerated() where length > 0 {
      var code = next[Int(length)]
      next[Int(length)] += 1
      var reversed: UInt16 = 0
      for _ in 0..<length {
        reversed = reversed << 1 | code & 1
        code >>= 1
      }
      reversedCodes[symbol] = reversed
    }
  }

  /// Adds a table for each start that longer codes share.
  private mutating func addTables(_ lengths: ArraySlice<UInt8>) {
    let mask = 1 << indexBits - 1
    for (symbol, length) in lengths.enumerated() where length > indexBits {
      // Until the table is made, the entry holds the bits that it needs.
      let start = Int(reversedCodes[symbol]) & mask
      let bits = max(entries[start].extraBits, Int(length) - indexBits)
      entries[start] = PrefixEntry(.table, extraBits: bits)
    }
    for start in 0...mask where entries[start].isTable {
      let bits = entries[start].extraBits
      entries[start] = PrefixEntry(.table, value: entries.count, extraBits: bits)
      entries.append(contentsOf: repeatElement(PrefixEntry(.unused), count: 1 << bits))
    }
  }

  /// Sets all entries whose index begins with a code.
  private mutating func add(_ entry: PrefixEntry, code: Int, length: Int) {
    let entry = entry.ofLength(length)
    guard length > indexBits else {
      for index in stride(from: code, to: 1 << indexBits, by: 1 << length) {
        entries[index] = entry
      }
      return
    }
    let table = entries[code & (1 << indexBits - 1)]
    let rest = code >> indexBits
    for index in stride(from: rest, to: 1 << table.extraBits, by: 1 << (length - indexBits)) {
      entries[table.value + index] = entry
    }
  }
}

extension InflateFault.Code {
  /// The longest codes that need one table only: a balance of what making and using tables costs.
  fileprivate var largestIndexBits: Int {
    switch self {
    case .lengths: 7
    case .literals: 10
    case .distances: 8
    }
  }

  /// What a symbol stands for.
  ///
  /// Source: RFC 1951, 3.2.5.
  fileprivate func entry(_ symbol: Int) -> PrefixEntry {
    switch (self, symbol) {
    case (.lengths, _), (.literals, ..<256): return PrefixEntry(.literal, value: symbol)
    case (.literals, 256): return PrefixEntry(.endOfBlock)
    case (.literals, 285): return PrefixEntry(.base, value: 258)
    case (.literals, 286...), (.distances, 30...): return PrefixEntry(.unused)
    case (.literals, _):
      // Eight lengths without extra bits, then four for each number of them.
      let number = symbol - 257
      let extraBits = max(0, number / 4 - 1)
      let base = number < 4 ? number : (4 + number & 3) << extraBits
      return PrefixEntry(.base, value: 3 + base, extraBits: extraBits)
    case (.distances, _):
      // Four distances without extra bits, then two for each number of them.
      let extraBits = max(0, symbol / 2 - 1)
      let base = symbol < 2 ? symbol : (2 + symbol & 1) << extraBits
      return PrefixEntry(.base, value: 1 + base, extraBits: extraBits)
    }
  }
}
