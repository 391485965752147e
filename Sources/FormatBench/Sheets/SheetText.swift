/// Sections of a sheet as aligned text.
enum SheetText {
  private static let gap = "  "

  /// The sections below each other, each with its title.
  static func text(of sections: [SheetSection], _ styling: Styling) -> String {
    sections.map { section in
      let parts = section.parts.map { lines(of: $0, styling) }.filter { !$0.isEmpty }
      let body = parts.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
      return styling.apply(.bold, to: section.title) + "\n\n" + body
    }
    .joined(separator: "\n")
  }

  private static func lines(of part: SheetPart, _ styling: Styling) -> [String] {
    switch part {
    case .table(let table): lines(of: table, styling)
    case .grid(let grid): lines(of: grid.table, styling) + grid.remarks
    case .drawing(let lines): lines
    case .paragraph(let text): TextLayout.wrapped(text, width: TextLayout.pageWidth)
    }
  }

  private static func lines(of table: SheetTable, _ styling: Styling) -> [String] {
    let texts = table.rows.map { $0.map(ExactNumber.text) }
    let widths = table.columns.indices.map { index in
      ([table.columns[index].title] + texts.map { $0[index] }).map(TextLayout.width).max() ?? 0
    }
    func line(_ fields: [String]) -> String {
      var line = zip(fields, zip(widths, table.columns)).map { field, layout in
        let padding = String(repeating: " ", count: layout.0 - TextLayout.width(field))
        return layout.1.alignment == .left ? field + padding : padding + field
      }
      .joined(separator: gap)
      while line.last == " " { line.removeLast() }
      return line
    }
    return [
      styling.apply(.bold, to: line(table.columns.map(\.title))),
      widths.map { String(repeating: "-", count: $0) }.joined(separator: gap),
    ] + texts.map(line)
  }
}

/// Sections of a sheet as Markdown.
enum SheetMarkdown {
  /// The sections below each other, with headings of a level, or bold titles at level 0.
  static func text(of sections: [SheetSection], level: Int) -> String {
    sections.map { section in
      let title =
        level == 0
        ? "**\(escaped(section.title))**"
        : String(repeating: "#", count: level) + " " + escaped(section.title)
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
    case .paragraph(let text): escaped(text)
    }
  }

  /// A table.
  static func text(of table: SheetTable) -> String {
    let rule = table.columns.map { $0.alignment == .left ? ":--" : "--:" }
    return
      ([line(table.columns.map { escaped($0.title) }), line(rule)]
      + table.rows.map { row in line(row.map { escaped(ExactNumber.text($0)) }) })
      .joined(separator: "\n")
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
