import StrictJSON

/// A report as one JSON object: `command`, `version`, the facts, and `rows`.
///
/// A row is an object on one line with every key in the order of the columns. Finite numbers are
/// JSON numbers that read back exactly; others are the texts `NaN`, `Infinity`, `-Infinity`.
/// An empty cell is `null`. In texts, everything is escaped that a terminal might act upon.
enum JSONReport {
  static func text(of report: Report) -> String {
    var members: [JSONValue.Member] = [
      .init("command", .string(report.command)),
      .init("version", .string(report.producer.version)),
    ]
    members += (report.producer.machine + report.context).map { .init($0.key, value(of: $0.value)) }
    let rows = report.rows.map { row in
      JSONValue.object(zip(report.columns, row).map { .init($0.key, value(of: $1)) })
    }
    members.append(.init("rows", .array(rows)))
    // The rows are the second level.
    return JSONValue.object(members).text(.indented(levels: 2), escaping: .unprintable) + "\n"
  }

  private static func value(of cell: Cell) -> JSONValue {
    switch cell {
    case .text(let text): .string(text)
    case .integer(let integer): JSONValue(integer)
    case .number(let number): JSONValue(number)
    case .empty: .null
    }
  }
}
