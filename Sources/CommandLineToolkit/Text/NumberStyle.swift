/// How numbers of a column are written for people; programs get all digits.
package enum NumberStyle: Sendable, Equatable {
  /// Two decimals: `18.40`.
  case decibels
  /// Three significant digits, and `0` for zero: `0.0125`, `12.5`, `100`.
  case percent
  /// A fixed number of decimals.
  case fixed(decimals: Int)
  /// Up to this many decimals, without zeros at the end: `4.25`, `8`.
  case trimmed(decimals: Int)
  /// This many significant digits; `1.23e-05` below 0.0001 and from a million up.
  case significant(Int)
  /// Six significant digits without zeros at the end.
  case general
  /// The fewest digits that give the value back.
  case exact

  /// The text of a value: rounded to nearest, ties to even, independent of any locale.
  ///
  /// What is rounded is the shortest decimal that gives the value back, that is, the very digits
  /// of the JSON form. NaN and the infinities are `NaN`, `Inf` and `-Inf`.
  package func text(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "Inf" }
    if self == .exact { return value.description }
    let decimal = DecimalNumber(value)
    switch self {
    case .decibels: return decimal.fixed(decimals: 2)
    case .fixed(let decimals): return decimal.fixed(decimals: decimals)
    case .trimmed(let decimals): return Self.withoutFinalZeros(decimal.fixed(decimals: decimals))
    case .percent: return decimal.significant(3)
    case .significant(let count): return decimal.significant(count)
    case .general, .exact: return Self.withoutFinalZeros(decimal.significant(6))
    }
  }

  /// Drops zeros, and a point left bare, at the end of the digits before any exponent.
  private static func withoutFinalZeros(_ text: String) -> String {
    let mantissa = text.prefix { $0 != "e" }
    guard mantissa.contains(".") else { return text }
    var kept = mantissa
    while kept.last == "0" { kept.removeLast() }
    if kept.last == "." { kept.removeLast() }
    return String(kept) + text[mantissa.endIndex...]
  }
}
