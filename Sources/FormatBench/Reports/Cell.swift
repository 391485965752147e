/// One value of a report.
enum Cell: Equatable, Sendable {
  case text(String)
  case integer(Int)
  /// Any double; NaN and the infinities are values like others.
  case number(Double)
  /// Nothing: the column says nothing about this row.
  case empty

  /// For people: numbers rounded by the style, text made safe for a terminal.
  func displayText(_ style: NumberStyle) -> String {
    switch self {
    case .text(let text): TextLayout.escaped(text)
    case .integer(let value): String(value)
    case .number(let value): style.text(value)
    case .empty: ""
    }
  }

  /// The value itself: text as it is, numbers with the fewest digits that give them back exactly.
  ///
  /// What is not finite is `NaN`, `Infinity` or `-Infinity`. Nothing is no text.
  var exactText: String {
    switch self {
    case .text(let text): text
    case .integer(let value): String(value)
    case .number(let value): Self.nonFiniteName(value) ?? value.description
    case .empty: ""
    }
  }

  /// The name of a value that is not finite; nil for all others.
  static func nonFiniteName(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return nil
  }
}
