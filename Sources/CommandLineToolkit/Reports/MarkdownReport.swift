/// A report as a Markdown table, below a list of the facts and above the notes.
///
/// The machine is among the facts only where numbers depend on it, so that a table kept in a file
/// can be made again, byte for byte, anywhere.
enum MarkdownReport {
  static func text(of report: Report) -> String {
    var blocks: [[String]] = []
    let facts =
      (report.reproducibility == .thisMachine ? report.producer.machine : []) + report.context
    if !facts.isEmpty {
      blocks.append(
        facts.map { fact in
          "- \(MarkdownText.escaped(fact.key)): "
            + MarkdownText.escaped(fact.value.displayText(fact.style))
        })
    }
    let rule = report.columns.map { $0.alignment == .left ? ":---" : "---:" }
    blocks.append(
      [
        MarkdownText.row(report.columns.map { MarkdownText.escaped($0.heading) }),
        MarkdownText.row(rule),
      ]
        + report.rows.map { row in
          MarkdownText.row(
            zip(report.columns, row).map { MarkdownText.escaped($1.displayText($0.style)) })
        })
    blocks += report.notes.map { [MarkdownText.escaped(TextLayout.escaped($0))] }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }
}
