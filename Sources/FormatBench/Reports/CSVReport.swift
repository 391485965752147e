/// The rows of a report as comma-separated values with the column keys as heading.
///
/// Fields are quoted as in RFC 4180; lines end with a line feed alone, as other tools on these
/// systems expect. Facts about the run are not part of this form. Numbers are exact.
enum CSVReport {
  static func text(of report: Report, for destination: ReportDestination) -> String {
    let lines =
      [report.columns.map { field($0.key) }]
      + report.rows.map { row in
        row.map { cell in
          switch destination {
          case .stream: field(cell.exactText)
          // Only a file can hold control characters without acting upon them.
          case .terminal: field(TextLayout.escaped(cell.exactText))
          }
        }
      }
    return lines.map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private static func field(_ text: String) -> String {
    // A carriage return and line feed are one character, so the scalars are looked at.
    let needsQuotes = text.unicodeScalars.contains { ["\"", ",", "\n", "\r"].contains($0) }
    let hasOuterBlank = text.first == " " || text.last == " "
    guard needsQuotes || hasOuterBlank else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
