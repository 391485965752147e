package import BlockFormats
import NumericSupport

/// What the elements of an operand are to the units of a product, powers of two of their parts included.
///
/// Everything follows from the layout, so that new formats find their unit by themselves.
package struct OperandElements: Hashable, Sendable {
  /// The elements as integers times a power of two; `nil` where some are not finite.
  package let integers: Integers?
  /// The code c that stands for the integer 0, where codes q of unsigned integers stand for q - c and
  /// blocks have an offset; `nil` elsewhere.
  package let middle: Int?
  /// Whether every finite element is a BF16 number.
  package let areBFloat16: Bool
  /// Whether products of two such elements stay clear of where the BF16 unit flushes to zero.
  package let areFarFromSubnormal: Bool

  /// Integers of magnitude up to `greatest`, times 2^`unitExponent`.
  package struct Integers: Hashable, Sendable {
    package let unitExponent: Int
    package let greatest: Int
    /// The bits of two's complement that hold them.
    package let bitWidth: Int
  }

  /// The elements of a linear layout, and for a format with an offset the code in their middle.
  package init(_ layout: LinearLayout) {
    guard layout.offset != nil else {
      self.init(layout.factors)
      return
    }
    let element = layout.factors.element
    let isPlain = layout.factors.powers.isEmpty && layout.factors.tensorField == nil
    guard isPlain, layout.factors.scale != nil, element.bitWidth <= 16,
      element == .unsignedInteger(bitCount: element.bitWidth)
    else {
      self.init(integers: nil, middle: nil)
      return
    }
    let middle = 1 << (element.bitWidth - 1)
    self.init(
      integers: Integers(unitExponent: 0, greatest: middle, bitWidth: element.bitWidth),
      middle: middle)
  }

  private init(integers: Integers?, middle: Int?) {
    self.integers = integers
    self.middle = middle
    (areBFloat16, areFarFromSubnormal) = (false, false)
  }

  package init(_ factors: FactorLayout) {
    let element = factors.element
    middle = nil
    // The least power of two gives the finest step, the greatest one the largest value.
    let lowest = element.leastSpacingExponent + factors.exponents.lowerBound
    let top = Double.scaled(
      element.greatestDecodableMagnitude, byPowerOfTwo: factors.exponents.upperBound)
    // A table may have fewer values than codes.
    let isFinite =
      element.nanCode == nil && element.infinityCode == nil
      && (!element.isTable || element.valueTable.allSatisfy(\.isFinite))
    if isFinite && Int(top.exponent) - lowest < 31 {
      let greatest = Int(Double.scaled(top, byPowerOfTwo: -lowest))
      // The largest magnitude of two's complement is a negative number's.
      let positive = element.leastIntegerCode == nil ? greatest : greatest - 1
      integers = Integers(
        unitExponent: lowest, greatest: greatest,
        bitWidth: Int.bitWidth - positive.leadingZeroBitCount + 1)
    } else {
      integers = nil
    }
    areBFloat16 =
      element.significandBitCount <= 8 && lowest >= -133 && top <= Double(Float.greatestBFloat16)
    areFarFromSubnormal = lowest >= -60 && top <= 0x1p60
  }
}

extension Float {
  /// The largest finite BF16 number.
  fileprivate static let greatestBFloat16 = Float(bitPattern: 0x7F7F_0000)
}
