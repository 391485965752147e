import Testing

@testable import CommandLineToolkit

@Suite("Numbers for people")
struct NumberStyleTests {
  @Test("Decibels have two decimals, rounded to nearest with ties to even")
  func decibels() {
    let cases: [(Double, String)] = [
      (18.4, "18.40"), (0, "0.00"), (-0.0, "0.00"), (-3.14159, "-3.14"), (0.125, "0.12"),
      (0.375, "0.38"), (9.999, "10.00"), (99.995, "100.00"), (0.005, "0.00"), (0.0051, "0.01"),
      (-0.001, "0.00"), (0.0009, "0.00"), (1e21, "1000000000000000000000.00"),
      (.infinity, "Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (-.nan, "NaN"),
    ]
    for (value, text) in cases { #expect(NumberStyle.decibels.text(value) == text) }
  }

  @Test("Percentages have three significant digits, and zero is 0")
  func percent() {
    let cases: [(Double, String)] = [
      (0, "0"), (-0.0, "0"), (100, "100"), (12.345, "12.3"), (12.35, "12.4"), (0.5, "0.500"),
      (0.00012, "0.000120"), (0.000012345, "1.23e-05"), (99.96, "100"), (0.0009996, "0.00100"),
      (.leastNonzeroMagnitude, "5.00e-324"), (1_234_567, "1.23e+06"), (123_456, "123000"),
    ]
    for (value, text) in cases { #expect(NumberStyle.percent.text(value) == text) }
  }

  @Test("Significant digits turn scientific where zeros would hide the size")
  func significant() {
    let style = NumberStyle.significant(4)
    let cases: [(Double, String)] = [
      (1.2345e-5, "1.234e-05"), (1.23456e-4, "0.0001235"), (-1.5, "-1.500"), (999_999, "1.000e+06"),
      (1e100, "1.000e+100"), (1.797e308, "1.797e+308"), (9.9999e-5, "0.0001000"),
    ]
    for (value, text) in cases { #expect(style.text(value) == text) }
    #expect(NumberStyle.significant(9).text(123_456_789) == "123456789")
  }

  @Test("Trimmed and general numbers have no zeros at their end")
  func trimmed() {
    let cases: [(Double, String)] = [
      (4.25, "4.25"), (8, "8"), (4.0625, "4.0625"), (4.03125, "4.0312"), (0, "0"), (100, "100"),
    ]
    for (value, text) in cases { #expect(NumberStyle.trimmed(decimals: 4).text(value) == text) }
    #expect(NumberStyle.general.text(0.1) == "0.1")
    #expect(NumberStyle.general.text(1e10) == "1e+10")
    #expect(NumberStyle.general.text(1.5e-7) == "1.5e-07")
    #expect(NumberStyle.general.text(448) == "448")
    #expect(NumberStyle.fixed(decimals: 0).text(2.5) == "2")
    #expect(NumberStyle.fixed(decimals: 0).text(0.7) == "1")
  }

  @Test("Exact numbers give the value back, negative zero included")
  func exact() throws {
    let values: [Double] = [
      0.1, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3, 1e16,
    ]
    for value in values {
      let text = NumberStyle.exact.text(value)
      #expect(try #require(Double(text)).bitPattern == value.bitPattern)
    }
    #expect(NumberStyle.exact.text(-0.0) == "-0.0")
  }
}
