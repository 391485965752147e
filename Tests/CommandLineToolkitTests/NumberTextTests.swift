import Testing

@testable import CommandLineToolkit

@Suite("Numbers on the command line")
struct NumberTextTests {
  private func float(_ text: String) -> Result<Float, ValueFailure> {
    Result { () throws(ValueFailure) in try ValueKind.float.parse(text) }
  }

  @Test(
    "What FP32 holds is read in every spelling, rounded once",
    arguments: [
      ("1", 1), ("-0.5", -0.5), ("1e3", 1000), ("0x1p-3", 0.125), ("0x1.8P1", 3),
      ("inf", .infinity), ("-Infinity", -.infinity), ("0", 0), ("-0.0", -0.0), ("0e999", 0),
      ("0x0p5", 0),
      ("1e-45", .leastNonzeroMagnitude), ("3.4028235e38", .greatestFiniteMagnitude),
      ("3.40282355e38", .greatestFiniteMagnitude), ("0.1", 0.1), ("0xEp0", 14),
    ] as [(String, Float)])
  func accepted(text: String, value: Float) throws {
    #expect(try float(text).get().bitPattern == value.bitPattern)
  }

  @Test("A number does not become infinity or zero in silence")
  func outOfRange() {
    for text in ["1e39", "-1e400", "0x1p128", "3.5e38", "1e99999"] {
      #expect(
        float(text)
          == .failure(
            .explained(
              "\(text) is beyond the numbers of FP32, which end at 3.4028235e+38")))
    }
    for text in ["1e-60", "-1e-400", "0x1p-200", "0.0001e-60", "0xEp-300"] {
      #expect(
        float(text)
          == .failure(
            .explained(
              "\(text) is below the numbers of FP32, which begin at 1e-45")))
    }
    #expect(throws: ValueFailure.self) { try ValueKind.number(in: 0...10).parse("1e-400") }
    #expect(throws: ValueFailure.notAccepted) { try ValueKind.number(in: 0...10).parse("nan") }
  }
}
