/// The form in which a report is written.
package enum ReportFormat: String, Sendable, CaseIterable {
  case table
  case json
  case csv
  case markdown

  /// The whole text of a report, with a line end at its end.
  package func text(of report: Report, for destination: ReportDestination) -> String {
    switch self {
    case .table: TextTable(report, destination).text
    case .json: JSONReport.text(of: report)
    case .csv: CSVReport.text(of: report)
    case .markdown: MarkdownReport.text(of: report)
    }
  }
}
