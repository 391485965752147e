extension ReportFormat {
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
}
