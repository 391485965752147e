import BlockFormats
import FormatTestSupport
import Testing

@Suite("Philox4x32-10")
struct PhiloxTests {
  /// The `philox4x32 10` lines of `kat_vectors` in the Random123 distribution.
  static let knownAnswers: [(counter: SIMD4<UInt32>, key: (UInt32, UInt32), words: SIMD4<UInt32>)] =
    [
      (
        SIMD4(0, 0, 0, 0), (0, 0),
        SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
      ),
      (
        SIMD4(repeating: 0xFFFF_FFFF), (0xFFFF_FFFF, 0xFFFF_FFFF),
        SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
      ),
      (
        SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), (0xA409_3822, 0x299F_31D0),
        SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
      ),
    ]

  @Test("The published known answers come out")
  func knownAnswerVectors() {
    for answer in Self.knownAnswers {
      #expect(Philox4x32(key: answer.key).block(counter: answer.counter) == answer.words)
    }
  }

  @Test("The library and the reference of the tests give every stored block")
  func storedBlocks() throws {
    let file = try VectorFile.load(PhiloxVectors.self, from: "philox/kat.json")
    #expect(file.cases.count == 19)
    for item in file.cases {
      let (counter, key) = (item.counter.bitPatterns, item.key.bitPatterns)
      let words = Philox4x32(key: (key[0], key[1])).block(counter: SIMD4(counter))
      #expect(words == SIMD4(item.output.bitPatterns), "\(item.name)")
      let reference = ReferenceRandomBits.philox(counter: counter, key: key)
      #expect(reference == item.output.bitPatterns, "\(item.name)")
    }
  }

  @Test("A seed's low half is the first key word and its high half the second")
  func seedSplitsIntoKeyWords() {
    let answer = Self.knownAnswers[2]
    let generator = Philox4x32(seed: 0x299F_31D0_A409_3822)
    #expect(generator == Philox4x32(key: answer.key))
    #expect(generator.key == answer.key)
    #expect(generator.block(counter: answer.counter) == answer.words)
  }

  @Test("Changing any one counter or key bit changes the block")
  func everyInputBitCounts() {
    let base = Self.knownAnswers[2]
    for bit in 0..<128 {
      var counter = base.counter
      counter[bit / 32] ^= 1 << UInt32(bit % 32)
      #expect(Philox4x32(key: base.key).block(counter: counter) != base.words)
    }
    for bit in 0..<32 {
      let low = Philox4x32(key: (base.key.0 ^ (1 << UInt32(bit)), base.key.1))
      let high = Philox4x32(key: (base.key.0, base.key.1 ^ (1 << UInt32(bit))))
      #expect(low.block(counter: base.counter) != base.words)
      #expect(high.block(counter: base.counter) != base.words)
    }
  }
}
