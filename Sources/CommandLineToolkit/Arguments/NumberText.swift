/// A number as a user writes it, which must not turn into another one on the way into a type.
package struct NumberText {
  package let text: String

  package init(_ text: String) { self.text = text }

  /// The value in a type, rounded once.
  ///
  /// - Parameter name: what the type is called.
  /// - Throws: `.notAccepted` for what is no number; an explanation where a number would become
  ///   infinity, or one that is not zero would become zero.
  package func value<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    in name: String
  ) throws(ValueFailure) -> Number {
    guard let value = Number(text) else { throw .notAccepted }
    if value.isInfinite && hasDigits {
      throw .explained(
        "\(text) is beyond the numbers of \(name), which end at \(Number.greatestFiniteMagnitude)")
    }
    if value.isZero && significand.contains(where: { $0.isHexDigit && $0 != "0" }) {
      throw .explained(
        "\(text) is below the numbers of \(name), which begin at \(Number.leastNonzeroMagnitude)")
    }
    return value
  }

  /// Whether the text is no word, such as `inf`.
  private var hasDigits: Bool { text.contains { ("0"..."9").contains($0) } }

  /// What stands before the exponent.
  private var significand: Substring {
    let lower = text.lowercased()
    let isHexadecimal = lower.contains("0x")
    let body = isHexadecimal ? lower.drop { $0 != "x" }.dropFirst() : lower[...]
    return body.prefix { $0 != (isHexadecimal ? "p" : "e") }
  }
}
