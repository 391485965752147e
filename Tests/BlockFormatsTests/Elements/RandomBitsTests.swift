import BlockFormats
import FormatTestSupport
import Testing

@Suite("Random bits of stochastic rounding")
struct RandomBitsTests {
  /// Elements 0 to 9 of seed 0x1122334455667788 and stream 9, as randomgen 2.5.0 draws them.
  static let firstWords: [UInt32] = [
    0x3954_58FC, 0xEB5F_EC22, 0x334D_BAB7, 0x62F2_A5E3, 0x0094_13E1, 0xEDD8_5500, 0xBA2E_FCE0,
    0xD192_7F1A, 0xC778_EFAF, 0xAD23_C0A1,
  ]

  @Test("The first four elements take the four words of a block, in order")
  func publishedBlock() {
    // The published answer for key and counter zero.
    let words: [UInt32] = [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]
    for (index, word) in words.enumerated() {
      #expect(StochasticSource(seed: 0).randomBits(at: UInt64(index)) == word)
    }
    // The second block, as randomgen draws it.
    #expect(StochasticSource(seed: 0).randomBits(at: 4) == 0xF8E4_CCA4)
    #expect(StochasticSource(seed: 0).randomBits(at: 7) == 0x097E_FF67)
  }

  @Test("Seed halves, stream and index go to their words of key and counter")
  func placement() {
    let source = StochasticSource(seed: 0x1122_3344_5566_7788, stream: 9)
    for (index, word) in Self.firstWords.enumerated() {
      #expect(source.randomBits(at: UInt64(index)) == word, "index \(index)")
    }
    // floor(i / 4) is 2^30 - 1 and 2^30, then 2^32 - 1 and 2^32, then 2^62 - 1.
    #expect(source.randomBits(at: 0xFFFF_FFFF) == 0x8D28_CB92)
    #expect(source.randomBits(at: 0x1_0000_0000) == 0x622E_791F)
    #expect(source.randomBits(at: 0x3_FFFF_FFFF) == 0x3B36_445B)
    #expect(source.randomBits(at: 0x4_0000_0000) == 0xF9ED_52B4)
    #expect(source.randomBits(at: .max) == 0x8872_E363)
  }

  @Test("N random bits are the top bits of the word")
  func topBits() {
    let seed: UInt64 = 0x1122_3344_5566_7788
    for bits in 1...32 {
      let source = StochasticSource(seed: seed, stream: 9, randomBitCount: bits)
      for (index, word) in Self.firstWords.enumerated() {
        #expect(source.randomBits(at: UInt64(index)) == word >> UInt32(32 - bits))
      }
    }
    #expect(StochasticSource(seed: 0, randomBitCount: 8).randomBits(at: 1) == 0xE1)
    #expect(StochasticSource(seed: 0, randomBitCount: 1).randomBits(at: 1) == 1)
  }

  @Test("The library and the reference of the tests give every stored word")
  func storedWords() throws {
    let file = try VectorFile.load(RoundingWordVectors.self, from: "philox/rounding_words.json")
    #expect(file.cases.count == 15)
    for item in file.cases {
      let (seed, first) = (item.seedValue, item.firstIndex)
      let source = StochasticSource(seed: seed, stream: item.stream)
      let reference = ReferenceRandomBits(seed: seed, stream: item.stream)
      let indices = item.words.bitPatterns.indices.map { first + UInt64($0) }
      #expect(indices.map { source.randomBits(at: $0) } == item.words.bitPatterns, "\(item.name)")
      #expect(
        indices.map { reference.bits(ofElement: $0) } == item.words.bitPatterns, "\(item.name)")
    }
  }

  @Test("Elements round with the words of the stored run")
  func codes() {
    // 10.5 lies half way between the integers, so it rounds to 11 when the word's top bit is set.
    let source = StochasticSource(seed: 0x1122_3344_5566_7788, stream: 9, randomBitCount: 1)
    let codes = (0..<10).map {
      ElementFormat.int8.code(for: 10.5, rounding: .stochastic(source), index: $0)
    }
    #expect(codes == [10, 11, 10, 10, 10, 11, 11, 11, 11, 11])
  }
}
