import StrictJSON

/// One value of a report.
package enum Cell: Equatable, Sendable {
  case text(String)
  case integer(Int)
  /// Any double; NaN and the infinities are values like others.
  case number(Double)
  /// Nothing: the column says nothing about this row.
  case empty

  /// A number, or nothing.
  package init(_ number: Double?) {
    self = number.map(Cell.number) ?? .empty
  }

  /// For people: numbers rounded by the style, text made safe for a terminal.
  package func displayText(_ style: NumberStyle) -> String {
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
  package var exactText: String {
    switch self {
    case .text(let text): text
    case .integer(let value): String(value)
    case .number(let value): JSONValue.nonFiniteName(value) ?? value.description
    case .empty: ""
    }
  }
}
