import CommandLineToolkit

/// Numbers of sheets and explanations as short texts that lose nothing.
enum ExactNumber {
  /// The longest decimal that is easier to read than a power of two.
  private static let decimalLength = 9
  /// Up to here an integer times a power of two is easier to read than a long decimal.
  private static let significandLimit = 4096.0

  /// A value as a decimal (`0.375`), as an odd integer times a power of two (`3·2^-16`), or, where
  /// both are long, with the fewest digits that give it back.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "Inf" }
    let decimal = withoutPointZero(value.description)
    if decimal.count <= decimalLength && !decimal.contains("e") { return decimal }
    let width = value.significandWidth
    let odd = Double(sign: value.sign, exponent: width, significand: value.significand)
    if odd.magnitude < significandLimit {
      let power = "2^\(Int(value.exponent) - width)"
      return odd == 1 ? power : odd == -1 ? "-" + power : "\(Int(odd))·\(power)"
    }
    let narrow = Float(value)
    return Double(narrow) == value ? withoutPointZero(narrow.description) : decimal
  }

  /// A cell for people; numbers are exact.
  static func text(_ cell: Cell) -> String {
    if case .number(let value) = cell { return text(value) }
    return TextLayout.escaped(cell.exactText)
  }

  private static func withoutPointZero(_ text: String) -> String {
    text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// A code in upper-case hexadecimal digits that fill its width, such as `0x7E`.
  static func hex(_ code: UInt32, bitWidth: Int) -> String { "0x" + digits(code, bitWidth) }

  /// The digits of `hex`, without the prefix.
  static func digits(_ code: UInt32, _ bitWidth: Int) -> String {
    let text = String(code, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, (bitWidth + 3) / 4 - text.count)) + text
  }

  /// Bytes as pairs of digits in the order in which they are stored.
  static func bytes(_ bytes: [UInt8]) -> String {
    bytes.map { digits(UInt32($0), 8) }.joined(separator: " ")
  }
}
