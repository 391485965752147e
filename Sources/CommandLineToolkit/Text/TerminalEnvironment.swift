/// What the environment variables say about terminals.
package struct TerminalEnvironment: Sendable {
  /// Whether escape sequences may be used at all.
  let understandsControls: Bool
  /// Whether text on a terminal is coloured.
  package let styling: Styling
  /// The width that text is laid out for, whatever it is written to; nil where nothing is said.
  package let columns: Int?

  /// Reads `NO_COLOR` (any text but the empty one forbids colour), `TERM` and `COLUMNS`.
  package init(_ variables: [String: String]) {
    understandsControls = variables["TERM"] != "dumb"
    let colourForbidden = !variables["NO_COLOR", default: ""].isEmpty
    styling = understandsControls && !colourForbidden ? .ansi : .plain
    columns = variables["COLUMNS"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
  }
}

/// A text attribute.
package enum TextStyle: Int, Sendable {
  case bold = 1
  case red = 31
  case yellow = 33
}

/// Whether text attributes are written.
package enum Styling: Sendable {
  case plain
  case ansi

  /// The text with the attribute switched on before it and off behind it.
  package func apply(_ style: TextStyle, to text: String) -> String {
    switch self {
    case .plain: text
    case .ansi: "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }
  }
}
