/// The rows of a report as comma-separated values with the column keys as heading.
///
/// Fields are quoted as in RFC 4180; lines end with a line feed alone, as other tools on these
/// systems expect. Facts about the run are not part of this form. Numbers are exact.
///
/// In texts, a backslash is written twice, and what a terminal might act upon as an escape: `\n`,
/// `\r`, `\t`, or `\u{hex}` with the scalar's number. So a row is one line, whoever reads it, and
/// names can be had back.
enum CSVReport {
  static func text(of report: Report) -> String {
    let lines =
      [report.columns.map { field(.text($0.key)) }] + report.rows.map { $0.map(field) }
    return lines.map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private static func field(_ cell: Cell) -> String {
    // Scalar by scalar: with a combining accent behind it, a quote is another character.
    let scalars = cell.exactText.unicodeScalars.map { scalar in
      scalar == "\\" ? "\\\\" : TextLayout.escaped(String(scalar))
    }
    let needsQuotes =
      scalars.contains { $0 == "\"" || $0 == "," } || scalars.first == " " || scalars.last == " "
    guard needsQuotes else { return scalars.joined() }
    return "\"" + scalars.map { $0 == "\"" ? "\"\"" : $0 }.joined() + "\""
  }
}
