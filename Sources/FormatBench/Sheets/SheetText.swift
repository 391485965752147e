/// Sections of a sheet as aligned text.
///
/// On a terminal, texts of a table that is too wide are wrapped within their columns, the widest
/// first; numbers never are. Files and pipes get lines as long as they need to be.
struct SheetText {
  private static let gap = "  "
  /// The least width to which a column of texts is wrapped.
  private static let leastWidth = 16

  private let limit: Int?
  private let styling: Styling

  init(_ destination: ReportDestination) {
    switch destination {
    case .stream: (limit, styling) = (nil, .plain)
    case .terminal(let columns, let styling): (limit, self.styling) = (columns, styling)
    }
  }

  /// A title with the version of the tool, and the sections below each other.
  func text(_ title: String, _ sections: [SheetSection]) -> String {
    let head = styling.apply(.bold, to: "fmtbench " + title) + " \(Fmtbench.version)\n"
    return ([head] + sections.map(text)).joined(separator: "\n")
  }

  private func text(of section: SheetSection) -> String {
    let parts = section.parts.map(lines).filter { !$0.isEmpty }
    return styling.apply(.bold, to: section.title) + "\n\n"
      + parts.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func lines(of part: SheetPart) -> [String] {
    switch part {
    case .table(let table): lines(of: table)
    case .grid(let grid): lines(of: grid.table) + grid.remarks
    case .drawing(let lines): lines
    case .paragraph(let text): TextLayout.wrapped(text, width: TextLayout.pageWidth)
    }
  }

  private func lines(of table: SheetTable) -> [String] {
    let texts = table.rows.map { $0.map(ExactNumber.text) }
    var widths = table.columns.indices.map { index in
      ([table.columns[index].title] + texts.map { $0[index] }).map(TextLayout.width).max() ?? 0
    }
    if let limit { shrink(&widths, of: table, to: limit) }
    let heading = lines(table.columns.map(\.title), widths, table)
    return heading.map { styling.apply(.bold, to: $0) }
      + [widths.map { String(repeating: "-", count: $0) }.joined(separator: Self.gap)]
      + texts.flatMap { lines($0, widths, table) }
  }

  /// Takes from the widest column of texts until the table fits or no column can give more.
  private func shrink(_ widths: inout [Int], of table: SheetTable, to limit: Int) {
    func excess(_ widths: [Int]) -> Int {
      widths.reduce(0, +) + (widths.count - 1) * Self.gap.count - limit
    }
    while excess(widths) > 0 {
      let candidates = table.columns.indices.dropFirst().filter {
        table.columns[$0].alignment == .left && widths[$0] > Self.leastWidth
      }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
    }
  }

  /// A row as one line, or more where a text does not fit into its column.
  private func lines(_ fields: [String], _ widths: [Int], _ table: SheetTable) -> [String] {
    let wrapped = zip(fields, widths).map { field, width in
      TextLayout.width(field) <= width ? [field] : TextLayout.wrapped(field, width: width)
    }
    return (0..<(wrapped.map(\.count).max() ?? 1)).map { line in
      var text = wrapped.indices.map { index in
        let field = line < wrapped[index].count ? wrapped[index][line] : ""
        let padding = String(
          repeating: " ", count: max(0, widths[index] - TextLayout.width(field)))
        return table.columns[index].alignment == .left ? field + padding : padding + field
      }
      .joined(separator: Self.gap)
      while text.last == " " { text.removeLast() }
      return text
    }
  }
}

/// Sections of a sheet as Markdown.
enum SheetMarkdown {
  /// The sections below each other, with headings of a level, or bold titles at level 0.
  static func text(of sections: [SheetSection], level: Int) -> String {
    sections.map { section in
      let title =
        level == 0
        ? "**\(MarkdownText.escaped(section.title))**"
        : String(repeating: "#", count: level) + " " + MarkdownText.escaped(section.title)
      return ([title] + section.parts.map(text)).joined(separator: "\n\n") + "\n"
    }
    .joined(separator: "\n")
  }

  /// One part, without a line end at its end.
  static func text(of part: SheetPart) -> String {
    switch part {
    case .table(let table): text(of: table)
    case .grid(let grid):
      ([text(of: grid.table)] + (grid.remarks.isEmpty ? [] : [grid.remarks.joined(separator: " ")]))
        .joined(separator: "\n\n")
    case .drawing(let lines): "```text\n" + lines.joined(separator: "\n") + "\n```"
    case .paragraph(let text): MarkdownText.escaped(text)
    }
  }

  /// A table.
  static func text(of table: SheetTable) -> String {
    let rule = table.columns.map { $0.alignment == .left ? ":--" : "--:" }
    return
      ([
        MarkdownText.row(table.columns.map { MarkdownText.escaped($0.title) }),
        MarkdownText.row(rule),
      ]
      + table.rows.map { row in
        MarkdownText.row(row.map { MarkdownText.escaped(ExactNumber.text($0)) })
      })
      .joined(separator: "\n")
  }
}
