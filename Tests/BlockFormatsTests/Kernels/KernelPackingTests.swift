import BlockFormats
import CBlockKernels
import FormatTestSupport
import Testing

@Suite("Packing kernels")
struct KernelPackingTests {
  /// The bytes of codes, bit after bit from the lowest of the first.
  private func packed(_ codes: [UInt32], width: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (codes.count * width + 7) / 8)
    for (index, code) in codes.enumerated() {
      for bit in 0..<width where code >> UInt32(bit) & 1 == 1 {
        let place = index * width + bit
        bytes[place / 8] |= 1 << UInt8(place % 8)
      }
    }
    return bytes
  }

  private func codes(_ count: Int, width: Int) -> [UInt32] {
    var generator = SeededGenerator(seed: UInt64(count * 33 + width))
    return (0..<count).map { _ in UInt32(generator.next() >> UInt64(64 - width)) }
  }

  /// The two places of some bytes in guarded memory, at most one of which is aligned.
  private func places(_ memory: GuardedMemory, _ count: Int) -> [UnsafeMutableRawBufferPointer] {
    [memory.atStart(count), memory.atEnd(count)]
  }

  @Test("Codes of 1 to 8 bits, every count to 130, between protected pages")
  func narrow() {
    let codeMemory = GuardedMemory(4096)
    let byteMemory = GuardedMemory(4096)
    for width in 1...8 {
      for count in 0...130 {
        let codes = codes(count, width: width)
        let bytes = packed(codes, width: width)
        let narrow = codes.map { UInt8($0) }
        for level in KernelLevel.supported {
          let table = kernelTable(level)
          for (source, target) in zip(
            places(codeMemory, count), places(byteMemory, bytes.count).reversed())
          {
            source.copyBytes(from: narrow)
            target.copyBytes(from: repeatElement(0xFF, count: target.count))
            table.pack(
              source.baseAddress!.assumingMemoryBound(to: UInt8.self), count, UInt32(width),
              target.baseAddress!.assumingMemoryBound(to: UInt8.self))
            let isPacked = target.elementsEqual(bytes)
            // A full last byte must not change what is unpacked from the row.
            source.copyBytes(from: repeatElement(0xFF, count: count))
            table.unpack(
              target.baseAddress!.assumingMemoryBound(to: UInt8.self), count, UInt32(width),
              source.baseAddress!.assumingMemoryBound(to: UInt8.self))
            let isUnpacked = source.elementsEqual(narrow)
            if !isPacked || !isUnpacked {
              Issue.record(
                "\(count) codes of \(width) bits on \(level.id), packed right: \(isPacked), unpacked right: \(isUnpacked)"
              )
            }
          }
        }
      }
    }
  }

  @Test("Codes of 1 to 32 bits, every count to 130, between protected pages")
  func wide() {
    let codeMemory = GuardedMemory(4096)
    let byteMemory = GuardedMemory(4096)
    for width in 1...32 {
      // Every count in a deep run; all short ones, and then every seventh, in a usual one.
      for count in 0...130 where Intensity.isDeep || count < 36 || count % 7 == width % 7 {
        let codes = codes(count, width: width)
        let bytes = packed(codes, width: width)
        for level in KernelLevel.supported {
          let table = kernelTable(level)
          for (source, target) in zip(
            places(codeMemory, 4 * count), places(byteMemory, bytes.count).reversed())
          {
            codes.withUnsafeBytes { source.copyMemory(from: $0) }
            target.copyBytes(from: repeatElement(0xFF, count: target.count))
            let words = source.baseAddress!.assumingMemoryBound(to: UInt32.self)
            let packed = target.baseAddress!.assumingMemoryBound(to: UInt8.self)
            table.pack_wide(words, count, UInt32(width), packed)
            let isPacked = target.elementsEqual(bytes)
            source.copyBytes(from: repeatElement(0xFF, count: 4 * count))
            table.unpack_wide(packed, count, UInt32(width), words)
            let isUnpacked = source.bindMemory(to: UInt32.self).elementsEqual(codes)
            if !isPacked || !isUnpacked {
              Issue.record(
                "\(count) codes of \(width) bits on \(level.id), packed right: \(isPacked), unpacked right: \(isUnpacked)"
              )
            }
          }
        }
      }
    }
  }

  @Test("Bits behind the last code of a row do not reach the codes")
  func foreignBits() {
    for level in KernelLevel.supported {
      let table = kernelTable(level)
      for width in 1...7 {
        for count in 1...17 {
          let codes = codes(count, width: width).map { UInt8($0) }
          var bytes = packed(codes.map(UInt32.init), width: width)
          let used = count * width % 8
          if used > 0 { bytes[bytes.count - 1] |= ~0 << UInt8(used) }
          var result = [UInt8](repeating: 0, count: count)
          table.unpack(bytes, count, UInt32(width), &result)
          #expect(result == codes, "\(count) codes of \(width) bits on \(level.id)")
        }
      }
    }
  }

  @Test("Random words are those of the definition, at counters across 2^32 and 2^64")
  func randomWords() {
    let memory = GuardedMemory(4096)
    let starts: [UInt64] = [
      0, 4, 1 << 34 - 32, 1 << 34 - 4, 1 << 34, 1 << 34 - 60, 1 << 40 + 8, 1 << 63 + 12, ~0 - 1023,
    ]
    for (number, first) in starts.enumerated() {
      let source = ReferenceRandomBits(
        seed: [1, 0xFEDC_BA98_7654_3211, 1 << 32][number % 3], stream: UInt32(number) * 77)
      let words = (0..<131).map { source.bits(ofElement: first &+ $0) }
      for level in KernelLevel.supported {
        let table = kernelTable(level)
        for count in [0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 131] {
          for target in places(memory, 4 * count) {
            target.copyBytes(from: repeatElement(0, count: target.count))
            table.random_words(
              source.seed, source.stream, first, count,
              target.baseAddress!.assumingMemoryBound(to: UInt32.self))
            #expect(
              target.bindMemory(to: UInt32.self).elementsEqual(words[..<count]),
              "\(count) words from \(first) on \(level.id)")
          }
        }
      }
    }
  }
}
