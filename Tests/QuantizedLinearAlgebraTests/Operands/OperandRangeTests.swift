import Testing

@testable import QuantizedLinearAlgebra

@Suite("What the numbers of an operand reach")
struct OperandRangeTests {
  private func range(_ exponents: Int...) -> OperandRange {
    OperandRange(
      unionOf: exponents.map {
        OperandRange(scales: ScaleRange(), leastElement: UInt32($0 + 127) << 7 | 0x7F)
      })
  }

  @Test("Sums are normal from exponents of -112 together on, and where there are no elements")
  func leastElements() {
    for first in [-126, -80, -56, -1, 14] {
      let other = -112 - first
      #expect(!range(first).canFlush(with: range(other)))
      #expect(range(first).canFlush(with: range(other - 1)))
      #expect(range(first, 100).canFlush(with: range(127, other - 1)))
    }
    // Subnormal elements count as zeros, whatever they meet.
    #expect(range(-127).canFlush(with: range(127)) && range(127).canFlush(with: range(-127)))
    #expect(!range(-126).canFlush(with: OperandRange()) && !OperandRange().canFlush(with: range(0)))
  }

  @Test("The least multiple that is proved is a normal number, and the next one down is not")
  func provedMultiples() {
    for first in -126...14 {
      let unit = Double(sign: .plus, exponent: first - 7, significand: 1)
      let other = Double(sign: .plus, exponent: -112 - first - 7, significand: 1)
      #expect(Float(unit * other) == Float.leastNormalMagnitude)
    }
  }
}
