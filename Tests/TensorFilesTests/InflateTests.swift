import FormatTestSupport
import Foundation
import Testing

@testable import TensorFiles

@Suite("Inflating deflate streams")
struct InflateTests {
  /// What a stream makes, in memory that ends before a page that traps.
  private func inflated(
    _ stream: [UInt8], _ count: Int, _ extent: Inflater<InflateFault>.Extent = .whole,
    pieceSize: Int = 1 << 16
  ) throws(InflateFault) -> [UInt8] {
    let memory = GuardedMemory(count)
    let output = memory.atEnd(count)
    var offset = 0
    try Inflater<InflateFault>.inflate(
      byteCount: stream.count, into: output, extent, pieceSize: pieceSize,
      read: { (piece) throws(InflateFault) in
        piece.copyBytes(from: stream[offset..<offset + piece.count])
        offset += piece.count
      },
      failure: { $0 })
    return Array(output)
  }

  private func fault(_ count: Int = 0, _ write: (inout BitStream) -> Void) -> InflateFault? {
    var stream = BitStream()
    write(&stream)
    do {
      _ = try inflated(stream.bytes, count)
      return nil
    } catch {
      return error
    }
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { CRC32.of($0) }
  }

  private func check(_ vectors: InflateVectors) {
    for (index, item) in vectors.cases.enumerated() {
      let stream = Array(item.stream)
      // Pieces from one byte on, so that every part of a stream lies across two.
      for pieceSize in [1 << 16, 1 + index % 40] {
        var made: [UInt8]?
        do {
          made = try inflated(stream, item.count, pieceSize: pieceSize)
          #expect(made.map(checksum) == item.checksum, "\(item.name) of case \(index)")
        } catch {
          #expect(item.checksum == nil, "\(item.name) of case \(index): \(error.reason)")
        }
        guard let made else { continue }
        #expect(throws: InflateFault.outputTooShort(item.count, expected: item.count + 1)) {
          try inflated(stream, item.count + 1, pieceSize: pieceSize)
        }
        if item.count > 0 {
          #expect(throws: InflateFault.outputTooLong(limit: item.count - 1)) {
            try inflated(stream, item.count - 1, pieceSize: pieceSize)
          }
        }
        let start = index % (item.count + 1)
        #expect(throws: Never.self) {
          let bytes = try inflated(stream, start, .start, pieceSize: pieceSize)
          #expect(bytes[...] == made.prefix(start))
        }
      }
    }
  }

  @Test("Streams of zlib make what it makes of them, and those that it refuses are refused")
  func vectors() throws {
    let vectors = try VectorFile.load(InflateVectors.self, from: "inflate/streams.json")
    #expect(vectors.cases.count >= 500)
    check(vectors)
  }

  private static let streams = ProcessInfo.processInfo.environment["BLOCKFORMATS_INFLATE_STREAMS"]

  @Test("So do the streams that the environment names", .enabled(if: streams != nil))
  func moreVectors() throws {
    check(try VectorFile.load(InflateVectors.self, at: #require(Self.streams)))
  }

  // MARK: Copies

  /// Makes a stream of literals and copies in the fixed codes, and what it stands for.
  private func copies(
    _ literals: [UInt8], _ copies: [(length: Int, distance: Int)]
  ) -> (stream: [UInt8], made: [UInt8]) {
    var stream = BitStream()
    stream.appendStored(literals, isLast: false)
    stream.beginBlock(type: 1)
    var made = literals
    for (length, distance) in copies {
      stream.appendCopy(length: length, distance: distance)
      for _ in 0..<length { made.append(made[made.count - distance]) }
      // A literal in between, of nine bits or of eight.
      let literal = UInt8(truncatingIfNeeded: made.count)
      stream.appendFixed(Int(literal))
      made.append(literal)
    }
    stream.appendFixed(256)
    return (stream.bytes, made)
  }

  @Test("Every length is copied from near and far")
  func everyLength() throws {
    let literals = (0..<40).map { UInt8($0 * 37 % 251) }
    let all = (3...258).flatMap { length in [1, 2, 3, 5, 7, 8, 9, 31].map { (length, $0) } }
    let (stream, made) = copies(literals, all)
    #expect(try inflated(stream, made.count) == made)
  }

  @Test("Every distance is reached")
  func everyDistance() throws {
    var generator = SeededGenerator(seed: 5)
    let literals = (0..<32768).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let step = Intensity.isDeep ? 1 : 61
    let ends = BitStream.distances.flatMap { [$0.first, $0.first + 1 << $0.bits - 1] }
    let all = (ends + Array(stride(from: 1, through: 32768, by: step))).map { (4, $0) }
    let (stream, made) = copies(literals, all)
    #expect(try inflated(stream, made.count) == made)
  }

  @Test("A copy from before the first byte is refused, wherever it is in the stream")
  func distanceTooFar() {
    for count in [0, 1, 5, 300, 20_000] {
      let data = [UInt8](repeating: 7, count: count)
      for copy in [count + 1, count + 2, 32768] where copy <= 32768 {
        let found = fault(count + 3) {
          $0.appendStored(data, isLast: false)
          $0.beginBlock(type: 1)
          $0.appendCopy(length: 3, distance: copy)
          $0.appendFixed(256)
        }
        #expect(found == .distanceTooFar(copy, written: count))
      }
    }
  }

  // MARK: Faults

  @Test("Malformed blocks are refused with their cause")
  func blocks() {
    #expect(fault { $0.beginBlock(type: 3) } == .unknownBlockType)
    #expect(
      fault {
        $0.beginBlock(type: 0)
        $0.append(0, bits: 5)
        $0.append(5, bits: 16)
        $0.append(6, bits: 16)
      } == .storedLength(5, complement: 6))
    for (literals, distances) in [(287, 1), (288, 1), (257, 31), (257, 32), (288, 32)] {
      let found = fault {
        $0.beginBlock(type: 2)
        $0.append(literals - 257, bits: 5)
        $0.append(distances - 1, bits: 5)
        $0.append(0, bits: 20)
      }
      #expect(found == .tooManySymbols(literals: literals, distances: distances))
    }
    for symbol in [286, 287] {
      let found = fault(9) {
        $0.beginBlock(type: 1)
        $0.appendFixed(symbol)
        $0.append(0, bits: 30)
      }
      #expect(found == .unusedCode(.literals))
    }
    for symbol in [30, 31] {
      let found = fault(9) {
        $0.beginBlock(type: 1)
        $0.appendFixed(65)
        $0.appendFixed(257)
        $0.append(code: symbol, bits: 5)
        $0.append(0, bits: 30)
      }
      #expect(found == .unusedCode(.distances))
    }
  }

  /// A block that brings codes: lengths of some symbols, all others have none.
  private func block(
    _ literals: [Int: Int], _ distances: [Int: Int], _ symbols: (inout BitStream) -> Void
  ) -> [UInt8] {
    var stream = BitStream()
    stream.beginBlock(type: 2)
    stream.appendLengths(
      literals: (0...285).map { literals[$0] ?? 0 }, distances: (0...29).map { distances[$0] ?? 0 })
    symbols(&stream)
    return stream.bytes
  }

  private func fault(_ stream: [UInt8], _ count: Int) -> InflateFault? {
    fault(count) { bits in for byte in stream { bits.append(Int(byte), bits: 8) } }
  }

  @Test("Codes must be complete, but for the two exceptions of zlib")
  func codes() throws {
    // Without distances, and without literals: only an end, in one bit, of which the other is unused.
    let empty = block([256: 1], [:]) { $0.append(code: 0, bits: 1) }
    #expect(try inflated(empty, 0) == [])
    let other = block([256: 1], [:]) { $0.append(code: 1, bits: 1) }
    #expect(fault(other, 0) == .unusedCode(.literals))

    // Two literals, a length and the end in two bits each, and one distance in one bit.
    let four = [65: 2, 66: 2, 256: 2, 257: 2]
    func copy(_ distances: [Int: Int], code: Int) -> [UInt8] {
      block(four, distances) {
        for code in [0, 1, 0, 3] { $0.append(code: code, bits: 2) }
        $0.append(code: code, bits: 1)
        $0.append(code: 2, bits: 2)
      }
    }
    #expect(try inflated(copy([1: 1], code: 0), 6) == [65, 66, 65, 66, 65, 66])
    #expect(try inflated(copy([1: 1, 2: 1], code: 1), 6) == [65, 66, 65, 65, 66, 65])
    #expect(fault(copy([1: 1], code: 1), 6) == .unusedCode(.distances))
    #expect(fault(copy([:], code: 0), 6) == .unusedCode(.distances))

    let none: (inout BitStream) -> Void = { _ in }
    #expect(fault(block([256: 2], [:], none), 0) == .incomplete(.literals))
    #expect(fault(block([65: 2, 256: 1], [:], none), 0) == .incomplete(.literals))
    #expect(fault(block([65: 1, 66: 1, 256: 1], [:], none), 0) == .overSubscribed(.literals))
    #expect(fault(block(four, [1: 2], none), 0) == .incomplete(.distances))
    #expect(fault(block(four, [1: 1, 2: 2], none), 0) == .incomplete(.distances))
    #expect(fault(block(four, [1: 1, 2: 1, 3: 15], none), 0) == .overSubscribed(.distances))
    #expect(fault(block([65: 1, 66: 1], [:], none), 0) == .noEndOfBlock)
  }

  @Test("Codes of all lengths up to 15 bits are read, in any order")
  func longCodes() throws {
    // Lengths 1, 2, ... 14, 15, 15, for symbols from the end on, the end of the block among the longest.
    let lengths = Dictionary(
      uniqueKeysWithValues: (1...14).map { (200 - $0, $0) } + [(20, 15), (256, 15)])
    let codes = (1...14).map { (symbol: 200 - $0, code: (1 << $0) - 2, bits: $0) }
    let stream = block(lengths, [:]) { bits in
      for _ in 0..<40 {
        for item in codes { bits.append(code: item.code, bits: item.bits) }
        bits.append(code: 0x7ffe, bits: 15)
      }
      bits.append(code: 0x7fff, bits: 15)
    }
    let made = (codes.map { UInt8($0.symbol) } + [20])
    let all = Array(repeatElement(made, count: 40).joined())
    for pieceSize in [1 << 16, 7] {
      #expect(try inflated(stream, all.count, pieceSize: pieceSize) == all)
    }
  }

  @Test("Repeated lengths need one before and end with the last symbol")
  func repeats() {
    // A block of 257 literals and lengths and one distance.
    func lengths(_ symbols: [(symbol: Int, extra: Int, bits: Int)]) -> InflateFault? {
      fault {
        $0.beginBlock(type: 2)
        $0.appendSymbolCounts(literals: 257, distances: 1)
        for item in symbols {
          $0.appendLength(item.symbol)
          $0.append(item.extra, bits: item.bits)
        }
        $0.append(0, bits: 16)
      }
    }
    #expect(lengths([(16, 0, 2)]) == .repeatWithoutLength)
    let zeros = (symbol: 18, extra: 127, bits: 7)
    // 258 lengths: 138 zeros and 120 more, or one too many.
    #expect(lengths([zeros, (18, 109, 7)]) == .noEndOfBlock)
    #expect(lengths([zeros, (18, 110, 7)]) == .repeatTooLong)
    #expect(lengths([zeros, (18, 106, 7), (17, 1, 3)]) == .repeatTooLong)
    #expect(lengths([zeros, (18, 107, 7), (16, 0, 2)]) == .repeatTooLong)
  }

  @Test("Bytes behind the end of a stream are counted, and bits of its last byte are not")
  func ends() throws {
    var stream = BitStream()
    stream.beginBlock(type: 1)
    stream.appendFixed(65)
    stream.appendFixed(256)
    var bytes = stream.bytes
    #expect(try inflated(bytes, 1) == [65])
    bytes[bytes.count - 1] |= 0xc0
    #expect(try inflated(bytes, 1) == [65])
    for count in [1, 2, 7, 8, 9, 100] {
      let more = bytes + [UInt8](repeating: 0xff, count: count)
      #expect(fault(more, 1) == .inputLeft(count))
      #expect(throws: InflateFault.inputLeft(count)) { try inflated(more, 1, pieceSize: 3) }
    }
    #expect(fault([], 0) == .endOfInput)
  }

  // MARK: Checksums

  @Test("CRC-32 is that of the definition for every length, in one part or two")
  func checksums() {
    #expect(checksum(Array("123456789".utf8)) == 0xcbf4_3926)
    let bytes = (0..<70).map { UInt8(truncatingIfNeeded: $0 * $0 * 31 + 200) }
    for count in bytes.indices {
      // Bit by bit: the remainder of a division by the polynomial.
      var register: UInt32 = 0xffff_ffff
      for byte in bytes.prefix(count) {
        for bit in 0..<8 {
          let isOdd = (register ^ UInt32(byte >> bit)) & 1 == 1
          register = register >> 1 ^ (isOdd ? 0xedb8_8320 : 0)
        }
      }
      #expect(checksum(Array(bytes.prefix(count))) == ~register)
      var parts = CRC32()
      let half = count * 2 / 5
      bytes[..<half].withUnsafeBytes { parts.update($0) }
      bytes[half..<count].withUnsafeBytes { parts.update($0) }
      #expect(parts.value == ~register)
    }
  }
}
