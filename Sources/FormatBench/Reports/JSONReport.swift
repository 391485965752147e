import UntrustedText

/// A report as one JSON object: `command`, `version`, the facts, and `rows`.
///
/// A row is an object on one line with every key in the order of the columns. Finite numbers are
/// JSON numbers that read back exactly; others are the texts `NaN`, `Infinity`, `-Infinity`.
/// An empty cell is `null`.
enum JSONReport {
  static func text(of report: Report) -> String {
    var members = [
      ("command", quoted(report.command)), ("version", quoted(Fmtbench.version)),
    ]
    members += (report.machine + report.context).map { ($0.key, literal($0.value)) }
    let rows = report.rows.map { row in
      "    {"
        + zip(report.columns, row).map { "\(quoted($0.key)): \(literal($1))" }
        .joined(separator: ", ") + "}"
    }
    members.append(
      ("rows", rows.isEmpty ? "[]" : "[\n" + rows.joined(separator: ",\n") + "\n  ]"))
    return "{\n" + members.map { "  \(quoted($0)): \($1)" }.joined(separator: ",\n") + "\n}\n"
  }

  private static func literal(_ cell: Cell) -> String {
    switch cell {
    case .text: quoted(cell.exactText)
    case .number(let value) where !value.isFinite: quoted(cell.exactText)
    case .integer, .number: cell.exactText
    case .empty: "null"
    }
  }

  /// The text as a JSON string, with everything escaped that a terminal might act upon.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where !isPrintable(scalar):
        // Two units above U+FFFF, as JSON has it.
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
