import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: stochastic rounding")
struct ElementStochasticTests {
  @Test("The result is the neighbour that floor(ν · 2^N) + R ≥ 2^N chooses, overflow included")
  func definition() {
    var generator = SeededGenerator(seed: 5)
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      let search = NearestSearch(item.reference)
      for bits in [1, 2, 3, 8, 23, 31, 32] {
        let source = StochasticSource(seed: 77, stream: 3, randomBitCount: bits)
        let reference = ReferenceRandomBits(seed: 77, stream: 3, bitCount: bits)
        for _ in 0..<200 {
          let (value, index) = (Self.value(in: search, &generator), generator.next())
          for overflow in NearestSearch.Overflow.allCases {
            mismatches.expectCode(
              item.format.code(
                for: value, rounding: .stochastic(source), overflow: OverflowRule(overflow),
                index: index),
              search.code(
                for: value, random: reference.bits(ofElement: index), ofBits: bits, overflow),
              of: value, item.reference, "\(bits) bits, index \(index), \(overflow)")
          }
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Both neighbours of an inexact value occur, above the largest value too, and no other code")
  func bothNeighboursOccur() {
    let source = RoundingRule.stochastic(StochasticSource(seed: 11))
    for item in ElementCase.narrow {
      let ladder = NearestSearch(item.reference).positive
      for index in [0, ladder.codes.count / 2, ladder.codes.count - 1] {
        let middle = (ladder.sizes[index] + ladder.sizes[index + 1]) / 2
        let expected = Set([
          ladder.codes[index], ladder.codes[min(index + 1, ladder.codes.count - 1)],
        ])
        // All 64 draws fall on one side once in 2^63 sources; this one is fixed.
        let codes = Set(
          (0..<64).map { item.format.code(for: middle, rounding: source, index: $0) })
        #expect(codes == expected, "\(item.reference) \(middle)")
      }
    }
  }

  @Test("A tie above the largest value becomes the special code for some indices only")
  func overflowUnderSpecial() {
    let source = RoundingRule.stochastic(StochasticSource(seed: 12))
    let cases: [(ElementFormat, Double, Set<UInt32>)] = [
      (.e4m3fn, 464, [0x7E, 0x7F]), (.e4m3fn, -464, [0xFE, 0x7F]), (.e5m2, 61440, [0x7B, 0x7C]),
      (.e5m2, -61440, [0xFB, 0xFC]), (.e4m3fnuz, 248, [0x7F, 0x80]), (.e2m1fn, 7, [0x7]),
      (.e4m3fn, 480, [0x7F]), (.int8, -127.5, [0x81]),
      (.mxint8(range: .full), -127.5 / 64, [0x81, 0x80]),
    ]
    for (format, value, expected) in cases {
      let codes = Set(
        (0..<64).map {
          format.code(for: value, rounding: source, overflow: .special, index: $0)
        })
      #expect(codes == expected, "\(format) \(value)")
    }
  }

  @Test("Over all 2^N random words exactly floor(ν · 2^N) round away, so the bias is below 2^-N")
  func everyRandomWord() {
    let fractions: [Double] = [0x1p-20, 0.1, 0.25, 1.0 / 3, 0.5, 0.6875, 0.9, 1 - 0x1p-20]
    for bits in 1...8 {
      let source = StochasticSource(seed: 3, stream: 1, randomBitCount: bits)
      let words = 1 << bits
      // One index for each random word; 2^N · (ln 2^N + 10) draws miss one with e^-10 or less.
      var indices: [UInt32: UInt64] = [:]
      var index: UInt64 = 0
      while indices.count < words {
        let word = source.randomBits(at: index)
        if indices[word] == nil { indices[word] = index }
        index += 1
        guard index < 100_000 else { break }
      }
      #expect(indices.count == words)
      for fraction in fractions {
        for sign in [1.0, -1] {
          // E4M3FN has spacing 1 between 8 and 16, and 2^-9 between 0 and 2^-6.
          for (base, spacing) in [(10.0, 1.0), (3 * 0x1p-9, 0x1p-9)] {
            let value = sign * (base + fraction * spacing)
            let nu = (abs(value) - base) / spacing
            let away = indices.values.count { index in
              let code = ElementFormat.e4m3fn.code(
                for: value, rounding: .stochastic(source), index: index)
              return abs(ElementFormat.e4m3fn.value(of: code)) > base
            }
            #expect(away == Int(nu * Double(words)), "\(bits) bits, \(value)")
            let shortfall = nu - Double(away) / Double(words)
            #expect(shortfall >= 0 && shortfall < 1 / Double(words))
          }
        }
      }
    }
  }

  @Test("The mean over many indices is the value itself")
  func unbiased() {
    // Away from zero with probability ν each: the count is binomial, and six standard deviations
    // are exceeded with probability 2e-9 by a correct generator; four tests make that 8e-9.
    let count = Intensity.isDeep ? 1 << 20 : 1 << 16
    let source = RoundingRule.stochastic(StochasticSource(seed: 2024, stream: 7))
    let cases: [(ElementFormat, lower: Double, upper: Double, Double)] = [
      (.e2m1fn, 4, 6, 4.6), (.e4m3fn, 0, 0x1p-9, 0x1p-11), (.int8, 100, 101, 100.5),
      (.e5m2, 40960, 49152, 41000),
    ]
    for (format, lower, upper, value) in cases {
      let nu = (value - lower) / (upper - lower)
      let away = (0..<UInt64(count)).count {
        format.value(of: format.code(for: value, rounding: source, index: $0)) == upper
      }
      let deviation = (Double(count) * nu * (1 - nu)).squareRoot()
      #expect(abs(Double(away) - Double(count) * nu) <= 6 * deviation, "\(format) \(value)")
    }
  }

  @Test("Rounding is a function of seed, stream and index, and depends on each")
  func dependence() {
    func codes(_ source: StochasticSource, from start: UInt64 = 0) -> [UInt32] {
      (start..<start + 128).map {
        ElementFormat.int8.code(for: 10.5, rounding: .stochastic(source), index: $0)
      }
    }
    let base = codes(StochasticSource(seed: 1, stream: 1))
    #expect(base == codes(StochasticSource(seed: 1, stream: 1)))
    // Two unrelated runs of 128 fair bits agree with probability 2^-128.
    #expect(base != codes(StochasticSource(seed: 2, stream: 1)))
    #expect(base != codes(StochasticSource(seed: 1 << 32 | 1, stream: 1)))
    #expect(base != codes(StochasticSource(seed: 1, stream: 2)))
    #expect(base != codes(StochasticSource(seed: 1, stream: 1), from: 128))
    #expect(base != codes(StochasticSource(seed: 1, stream: 1), from: 1 << 32))
  }

  @Test("A value and its negative round to magnitudes that are equal")
  func symmetry() {
    let source = RoundingRule.stochastic(StochasticSource(seed: 8))
    var generator = SeededGenerator(seed: 9)
    for index in 0..<500 as Range<UInt64> {
      let value = Double.random(in: 0...448, using: &generator)
      let plus = ElementFormat.e4m3fn.code(for: value, rounding: source, index: index)
      let minus = ElementFormat.e4m3fn.code(for: -value, rounding: source, index: index)
      #expect(minus == plus | 0x80)
    }
  }

  /// A value within, just below or just beyond the range of a format, of either sign.
  private static func value(
    in search: NearestSearch, _ generator: inout SeededGenerator
  ) -> Double {
    let sizes = search.positive.sizes
    let index = Int.random(in: 0..<sizes.count, using: &generator)
    let (lower, upper) =
      index == sizes.count - 1 ? (sizes[index], 2 * sizes[index]) : (sizes[index], sizes[index + 1])
    let nu: Double =
      switch generator.next() % 4 {
      case 0: ReferenceElement.powerOfTwo(-Int(generator.next() % 90))
      case 1: Double(generator.next() % 256) / 256
      default: Double(generator.next() >> 11) * 0x1p-53
      }
    return (generator.next() % 2 == 0 ? 1 : -1) * (lower + nu * (upper - lower))
  }
}
