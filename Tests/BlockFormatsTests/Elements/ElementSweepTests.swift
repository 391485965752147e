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

  /// All formats of at most 8 bits that have a name of their own.
  private static let named = ElementCase.narrow.filter { item in
    item.reference.name.hasPrefix("mx") || ElementFormat.named.contains(item.format)
  }

  @Test(
    "All 2^32 floats give the code that the thresholds say, ties to even",
    .enabled(if: Intensity.isDeep), arguments: named)
  func everyFloat(_ item: ElementCase) async {
    let sweep = FloatSweep(
      format: item.format,
      runs: NearestSearch(item.reference).floatRuns(.nearestEven, .saturate))
    let total = await withTaskGroup(of: FloatSweep.Count.self) { group in
      for slice in 0..<FloatSweep.sliceCount { group.addTask { sweep.count(slice: slice) } }
      return await group.reduce(into: FloatSweep.Count()) { $0 += $1 }
    }
    #expect(total.checked == 1 << 32)
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
        let value =
          (generator.next() % 2 == 0 ? 1 : -1)
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

  /// The rules differ only beyond the largest value, so the standard run sweeps with one of them.
  private static let sweptOverflowRules: [NearestSearch.Overflow] =
    Intensity.isDeep ? [.saturate, .special] : [.special]

  private func expectSweep(
    patterns: [UInt32], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let sorted = patterns.sorted()
    var mismatches = ElementMismatches()
    for item in ElementCase.narrow {
      for overflow in Self.sweptOverflowRules {
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
}

/// Encodes all floats of one slice after another as tensors, so that the sweep goes through the
/// encoder, the driver and the packing that every caller goes through.
private struct FloatSweep: Sendable {
  let format: ElementFormat
  let runs: [NearestSearch.Run]

  /// Slices of 2^24 patterns, in tensors of 2^20.
  static let sliceCount = 1 << 8
  private static let sliceLength = 1 << 24
  private static let tensorLength = 1 << 20

  struct Count: Sendable {
    var checked: UInt64 = 0
    var wrong: UInt64 = 0
    var first: UInt32?

    static func += (total: inout Count, part: Count) {
      total.checked += part.checked
      total.wrong += part.wrong
      if let first = part.first { total.first = min(first, total.first ?? first) }
    }
  }

  func count(slice: Int) -> Count {
    var count = Count()
    for tensor in 0..<Self.sliceLength / Self.tensorLength {
      count += self.count(from: UInt32(slice * Self.sliceLength + tensor * Self.tensorLength))
    }
    return count
  }

  private func count(from start: UInt32) -> Count {
    let last = start + UInt32(Self.tensorLength - 1)
    let values = (start...last).map { Float(bitPattern: $0) }
    let codes = Tensor(values).quantized(to: .cast(to: format), parallelism: .threads(1)).codes
      .unpacked()
    var count = Count()
    for run in runs where run.patterns.overlaps(start...last) {
      let patterns = run.patterns.clamped(to: start...last)
      for pattern in patterns where codes[Int(pattern - start)] != run.code {
        count.wrong += 1
        count.first = count.first ?? pattern
      }
      count.checked += UInt64(patterns.count)
    }
    return count
  }
}
