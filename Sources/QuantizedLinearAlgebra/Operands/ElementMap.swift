import BlockFormats

/// How the codes of a format, microexponents included, become elements of a unit.
struct ElementMap: Sendable {
  /// Bits of a code.
  let width: Int
  /// Bits of a microexponent, 0 without.
  let shiftWidth: Int
  private(set) var way: Way
  /// The byte that stands for zero among `int8` elements.
  private(set) var zero: UInt8 = 0

  /// From the quickest to the most general.
  enum Way: Sendable {
    /// By a table over codes of up to eight bits, above which the microexponent lies.
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
    /// What is taken from the values of codes first.
    let middle: Int

    func bits(_ code: UInt32, shift: Int) -> Int16 {
      let value = Double(
        sign: .plus, exponent: -unitExponent - shift,
        significand: element.value(of: code) - Double(middle))
      // Exact both ways.
      return unit == .bfloat16
        ? Int16(truncatingIfNeeded: Float(value).bitPattern >> 16) : Int16(value)
    }
  }

  /// - Precondition: the unit is not FP32's.
  init(_ layout: BlockLayout, unit: ProductUnit, unitExponent: Int, middle: Int?) {
    let element = layout.element
    width = element.bitWidth
    shiftWidth = layout.linear?.factors.shift?.bitWidth ?? 0
    let conversion = Conversion(
      element: element, unit: unit, unitExponent: unitExponent, middle: middle ?? 0)
    let deepest = (1 << shiftWidth) - 1
    if width + shiftWidth <= 8 {
      let codes = element.codeCount
      let values = (0..<codes << shiftWidth).map { index in
        conversion.bits(UInt32(index % codes), shift: index / codes)
      }
      way = unit == .int8 ? .int8(values.map { Int8($0) }) : .int16(values)
    } else if width <= 8 && unit == .int16 {
      let values = (0..<UInt32(element.codeCount)).map { conversion.bits($0, shift: deepest) }
      way = .scaledInt16(values, deepest: deepest)
    } else if element == .bf16 && unit == .bfloat16 {
      way = .copied
    } else {
      way = .general(conversion)
    }
  }

  /// The integers of all codes of four bits, for panels that keep them; `nil` for other formats.
  var nibbles: [Int8]? {
    guard case .int8(let values) = way, values.count <= 16, values.contains(0) else {
      return nil
    }
    return values + [Int8](repeating: 0, count: 16 - values.count)
  }

  /// The same with codes in the place of elements.
  var keepingCodes: ElementMap {
    var map = self
    map.way = .int8((0..<1 << (width + shiftWidth)).map { Int8($0) })
    map.zero = UInt8(nibbles?.firstIndex(of: 0) ?? 0)
    return map
  }
}
