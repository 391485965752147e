import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: exhaustive inputs")
struct ElementSweepTests {
  @Test("The oracle's runs of floats agree with its search at both ends of every run")
  func runsAgreeWithSearch() {
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      let search = NearestSearch(item.reference)
      for rounding in NearestSearch.Rounding.allCases {
        for overflow in NearestSearch.Overflow.allCases {
          var next: UInt64 = 0
          for run in search.floatRuns(rounding, overflow) {
            mismatches.expect(UInt64(run.patterns.lowerBound), next, "\(item.reference) gap")
            next = UInt64(run.patterns.upperBound) + 1
            for pattern in [run.patterns.lowerBound, run.patterns.upperBound] {
              let value = Double(Float(bitPattern: pattern))
              mismatches.expectCode(
                run.code, search.code(for: value, rounding, overflow), of: value, item.reference,
                "\(rounding) \(overflow)")
            }
          }
          mismatches.expect(next, 1 << 32, "\(item.reference) patterns covered")
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("Every BF16 pattern as input gives the code that the thresholds say, ties to even")
  func everyBF16() {
    expectSweep(patterns: (0...UInt32(UInt16.max)).map { $0 << 16 })
  }

  @Test("Every FP16 pattern as input gives the code that the thresholds say, ties to even")
  func everyFP16() {
    let fp16 = ReferenceFacts.named("fp16").element
    expectSweep(patterns: (0..<fp16.codeCount).map { Float(fp16.value(of: $0)).bitPattern })
  }

  @Test(
    "All 2^32 floats give the code that the thresholds say, ties to even",
    .enabled(if: Intensity.isDeep), arguments: ElementCase.narrow)
  func everyFloat(_ item: ElementCase) async {
    let runs = NearestSearch(item.reference).floatRuns(.nearestEven, .saturate)
    let format = item.format
    // Pieces of at most 2^26 patterns, shared out among the threads of the pool.
    let total = await withTaskGroup(of: (wrong: UInt64, first: UInt32?, seen: UInt64).self) {
      for run in runs {
        for piece in Self.pieces(of: run.patterns) {
          $0.addTask { Self.countWrong(format, piece, expected: run.code) }
        }
      }
      var total: (wrong: UInt64, first: UInt32?, seen: UInt64) = (0, nil, 0)
      for await part in $0 {
        total.wrong += part.wrong
        total.seen += part.seen
        if let first = part.first { total.first = min(first, total.first ?? first) }
      }
      return total
    }
    #expect(total.seen == 1 << 32)
    #expect(total.wrong == 0, "\(item.reference): first wrong \(hex(total.first ?? 0))")
  }

  @Test(
    "Ten million random doubles round as the definition says under every rule",
    .enabled(if: Intensity.isDeep))
  func randomDoubles() {
    var generator = SeededGenerator(seed: 64)
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      let search = NearestSearch(item.reference)
      let top = Int(search.positive.beyond.exponent) + 1
      let bottom = top - (1 << max(item.reference.exponentBits, 2)) - item.reference.fractionBits
      for _ in 0..<32_000 {
        let exponent = Int.random(in: bottom...top, using: &generator)
        let significand = Double(bitPattern: 0x3FF0 << 48 | generator.next() >> 12)
        let value = (generator.next() % 2 == 0 ? 1 : -1)
          * Double(sign: .plus, exponent: exponent, significand: significand)
        for rounding in NearestSearch.Rounding.allCases {
          for overflow in NearestSearch.Overflow.allCases {
            mismatches.expectCode(
              item.format.code(
                for: value, rounding: RoundingRule(rounding), overflow: OverflowRule(overflow)),
              search.code(for: value, rounding, overflow), of: value, item.reference,
              "\(rounding) \(overflow)")
          }
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  // MARK: - Sweeping

  private func expectSweep(
    patterns: [UInt32], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let sorted = patterns.sorted()
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      for overflow in NearestSearch.Overflow.allCases {
        let runs = NearestSearch(item.reference).floatRuns(.nearestEven, overflow)
        var run = 0
        for pattern in sorted {
          while pattern > runs[run].patterns.upperBound { run += 1 }
          let value = Double(Float(bitPattern: pattern))
          mismatches.expectCode(
            item.format.code(for: value, overflow: OverflowRule(overflow)), runs[run].code,
            of: value, item.reference, "\(overflow)")
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)", sourceLocation: sourceLocation)
  }

  private static func pieces(of patterns: ClosedRange<UInt32>) -> [ClosedRange<UInt32>] {
    stride(from: UInt64(patterns.lowerBound), through: UInt64(patterns.upperBound), by: 1 << 26)
      .map { UInt32($0)...UInt32(min($0 + (1 << 26) - 1, UInt64(patterns.upperBound))) }
  }

  private static func countWrong(
    _ format: ElementFormat, _ patterns: ClosedRange<UInt32>, expected: UInt32
  ) -> (wrong: UInt64, first: UInt32?, seen: UInt64) {
    var wrong: UInt64 = 0
    var first: UInt32?
    for pattern in patterns {
      if format.code(for: Double(Float(bitPattern: pattern))) != expected {
        wrong += 1
        first = first ?? pattern
      }
    }
    return (wrong, first, UInt64(patterns.upperBound - patterns.lowerBound) + 1)
  }
}
