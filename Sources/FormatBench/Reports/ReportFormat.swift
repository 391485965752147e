/// The form in which a report is written.
enum ReportFormat: String, Sendable, CaseIterable {
  case table
  case json
  case csv
  case markdown

  /// The options of every command that writes a report; at most one may be given.
  static let options: [Option<Bool>] = [
    .flag(json.rawValue, help: "write one JSON object instead of the table"),
    .flag(
      csv.rawValue,
      help: """
        write the rows as CSV, a line each: in texts, a backslash is written twice and control \
        characters as \\n, \\r, \\t or \\u{hex}
        """),
    .flag(markdown.rawValue, help: "write a Markdown table"),
  ]

  /// The form asked for by the names of the options given.
  init(given names: some Sequence<String>) throws(CommandError) {
    let asked = Self.allCases.filter { $0 != .table && names.contains($0.rawValue) }
    guard asked.count <= 1 else {
      throw .usage(
        asked.map { "--" + $0.rawValue }.joined(separator: " and ") + " exclude each other")
    }
    self = asked.first ?? .table
  }

  /// The whole text of a report, with a line end at its end.
  func text(of report: Report, for destination: ReportDestination) -> String {
    switch self {
    case .table: TextTable(report, destination).text
    case .json: JSONReport.text(of: report)
    case .csv: CSVReport.text(of: report)
    case .markdown: MarkdownReport.text(of: report)
    }
  }
}

/// Where a report is going, which decides its layout but never its content.
enum ReportDestination: Sendable {
  /// A file or a pipe, laid out for so many columns.
  case stream(columns: Int)
  /// A terminal of so many columns.
  case terminal(columns: Int, styling: Styling)

  /// A file that lasts, whose layout depends on nothing around it.
  static let file = stream(columns: TextLayout.pageWidth)

  /// The columns that text keeps to.
  var columns: Int {
    switch self {
    case .stream(let columns), .terminal(let columns, _): columns
    }
  }

  /// Whether text has attributes.
  var styling: Styling {
    switch self {
    case .stream: .plain
    case .terminal(_, let styling): styling
    }
  }
}
