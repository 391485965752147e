import BlockFormats
import Testing

#if os(macOS) || os(Linux)
/// Caller mistakes stop the program and say which number was wrong, in optimised builds too.
@Suite("Element formats: preconditions")
struct ElementPreconditionTests {
  private func expectMessage(
    _ result: ExitTest.Result?, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    for part in parts {
      #expect(message.contains(part), "\(message)", sourceLocation: sourceLocation)
    }
  }

  @Test("A code wider than the format traps")
  func wideCode() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.e2m1fn.value(of: 16)
    }
    expectMessage(result, "code 16", "4 bits of e2m1fn")
  }

  @Test("A number of random bits outside 1...32 traps")
  func randomBitCount() async {
    let none = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = StochasticSource(seed: 1, randomBitCount: 0)
    }
    expectMessage(none, "0 random bits", "1...32")
    let many = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = StochasticSource(seed: 1, randomBitCount: 33)
    }
    expectMessage(many, "33 random bits", "1...32")
  }

  @Test("A P3109 format whose precision does not fit its width traps")
  func p3109Precision() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.p3109(width: 8, precision: 8, signedness: .signed, domain: .finite)
    }
    expectMessage(result, "width 8", "precision 8", "signed")
  }

  @Test("An exponent field wider than 11 bits traps")
  func exponentWidth() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.floatingPoint(exponent: 12, significand: 1)
    }
    expectMessage(result, "12 exponent", "0...11")
  }

  @Test("A bias that leaves the range of Double traps")
  func bias() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.floatingPoint(exponent: 4, significand: 3, bias: 1100)
    }
    expectMessage(result, "-1103", "not exact in Double")
  }

  @Test("An integer width outside 2...16 traps")
  func integerWidth() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.integer("int17", bitCount: 17)
    }
    expectMessage(result, "int17", "17 bits")
  }

  @Test("A value table of a format above 16 bits traps")
  func valueTable() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.tf32.valueTable
    }
    expectMessage(result, "tf32", "2^19")
  }

  @Test("IEEE specials without a fraction bit trap with the format's name")
  func ieeeWithoutFraction() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ElementFormat.floatingPoint(exponent: 4, significand: 0, specials: .ieee)
    }
    expectMessage(result, "float(e=4,m=0")
  }
}
#endif
