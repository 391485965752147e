/// A report as a Markdown table, below a list of the facts and above the notes.
enum MarkdownReport {
  static func text(of report: Report) -> String {
    var blocks: [[String]] = []
    if !report.context.isEmpty {
      blocks.append(
        report.context.map { fact in
          "- \(escaped(fact.key)): \(escaped(fact.value.displayText(fact.style)))"
        })
    }
    let rule = report.columns.map { $0.alignment == .left ? ":---" : "---:" }
    blocks.append(
      [line(report.columns.map { escaped($0.heading) }), line(rule)]
        + report.rows.map { row in
          line(zip(report.columns, row).map { escaped($1.displayText($0.style)) })
        })
    blocks += report.notes.map { [escaped(TextLayout.escaped($0))] }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private static func line(_ fields: [String]) -> String {
    "| " + fields.joined(separator: " | ") + " |"
  }

  /// Keeps what has a meaning in Markdown from having it.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      if "\\|*`<>[]".contains(character) { result.append("\\") }
      result.append(character)
    }
    return result
  }
}
