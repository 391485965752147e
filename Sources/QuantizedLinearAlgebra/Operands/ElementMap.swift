import BlockFormats

/// How the codes of a format, powers of two of their parts included, become elements of a unit.
struct ElementMap: Sendable {
  /// Bits of a code.
  let width: Int
  /// Bits of the sum of an element's codes of powers, 0 without.
  let powerWidth: Int
  private(set) var way: Way
  /// The byte that stands for zero among `int8` elements.
  private(set) var zero: UInt8

  /// From the quickest to the most general.
  enum Way: Sendable {
    /// By a table over codes of up to eight bits, above which the sum of the powers' codes lies; of
    /// bytes without a sign where the layout has a bias.
    case int8([Int8])
    case int16([Int16])
    /// By a table over codes of up to eight bits, times the power of two of the microexponent.
    case scaledInt16([Int16], deepest: Int)
    /// Codes are BF16 numbers themselves.
    case copied
    /// One by one.
    case general(Conversion)
  }

  /// From values to the 16 bits of an element.
  struct Conversion: Sendable {
    let element: ElementFormat
    let unit: ProductUnit
    let unitExponent: Int
    let direction: FactorLayout.Direction
    /// What is taken from the values of codes first.
    let middle: Int

    /// What a code stands for, in the operand's unit, where the codes of powers have a sum.
    func value(_ code: UInt32, power: Int) -> Double {
      let exponent = direction.rawValue * power - unitExponent
      return Double(
        sign: .plus, exponent: exponent, significand: element.value(of: code) - Double(middle))
    }

    /// The element of such a code.
    func bits(_ code: UInt32, power: Int) -> Int16 {
      let value = value(code, power: power)
      // Exact both ways.
      return unit == .bfloat16
        ? Int16(truncatingIfNeeded: Float(value).bitPattern >> 16) : Int16(value)
    }
  }

  /// - Precondition: the unit is not FP32's.
  init(_ layout: BlockLayout, as operand: OperandLayout, unitExponent: Int) {
    let (unit, bias) = (operand.unit, operand.bias)
    let element = layout.element
    width = element.bitWidth
    let factors = layout.linear?.factors
    let greatest = factors?.greatestPower ?? 0
    powerWidth = Self.powerWidth(factors)
    if case .codes(_, let zero) = operand.narrow?.form {
      way = Self.codes(width + powerWidth)
      self.zero = zero
      return
    }
    zero = UInt8(bias)
    let conversion = Conversion(
      element: element, unit: unit, unitExponent: unitExponent,
      direction: factors?.powers.first?.direction ?? .down, middle: operand.middle ?? 0)
    if width + powerWidth <= 8 {
      // No code lies above the greatest sum.
      let values = (0..<(greatest + 1) * element.codeCount).map { index in
        let (power, code) = index.quotientAndRemainder(dividingBy: element.codeCount)
        return conversion.bits(UInt32(code), power: power)
      }
      let padding = [Int16](repeating: 0, count: 1 << (width + powerWidth) - values.count)
      way =
        unit == .int8
        ? .int8((values + padding).map { Int8(truncatingIfNeeded: Int($0) + bias) })
        : .int16(values + padding)
    } else if width <= 8 && unit == .int16 && conversion.direction == .down {
      let values = (0..<UInt32(element.codeCount)).map { conversion.bits($0, power: greatest) }
      way = .scaledInt16(values, deepest: greatest)
    } else if element == .bf16 && unit == .bfloat16 {
      way = .copied
    } else {
      way = .general(conversion)
    }
  }

  /// Codes of some bits as they are, those of powers joined.
  private static func codes(_ bitWidth: Int) -> Way { .int8((0..<1 << bitWidth).map { Int8($0) }) }

  private static func powerWidth(_ factors: FactorLayout?) -> Int {
    Int.bitWidth - (factors?.greatestPower ?? 0).leadingZeroBitCount
  }

  /// The numbers of all codes of at most eight bits, those of powers joined; `nil` for wider ones.
  static func numbers(_ layout: LinearLayout, for unit: ProductUnit) -> [Float]? {
    let (element, factors) = (layout.factors.element, layout.factors)
    guard element.bitWidth + powerWidth(factors) <= 8 else { return nil }
    let conversion = Conversion(
      element: element, unit: unit, unitExponent: 0,
      direction: factors.powers.first?.direction ?? .down, middle: 0)
    return (0..<(factors.greatestPower + 1) * element.codeCount).map { index in
      let (power, code) = index.quotientAndRemainder(dividingBy: element.codeCount)
      return Float(conversion.value(UInt32(code), power: power))
    }
  }

  /// The bytes of all codes of four bits, for panels that keep them; `nil` for other formats.
  var nibbles: [Int8]? {
    guard case .int8(let values) = way, values.count <= 16, values.contains(zeroElement) else {
      return nil
    }
    return values + [Int8](repeating: zeroElement, count: 16 - values.count)
  }

  private var zeroElement: Int8 { Int8(bitPattern: zero) }

  /// The same with codes in the place of elements.
  var keepingCodes: ElementMap {
    var map = self
    map.way = Self.codes(width + powerWidth)
    map.zero = UInt8(nibbles?.firstIndex(of: zeroElement) ?? 0)
    return map
  }
}
