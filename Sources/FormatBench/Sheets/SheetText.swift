import BlockFormats
import CommandLineToolkit

/// Sections of a sheet as aligned text.
///
/// A table that is too wide for its destination breaks its headings, then wraps texts within their
/// columns, the widest first, and at last tells its columns in groups one below the other with the
/// first column repeated; numbers are never broken.
struct SheetText {
  private static let gap = "  "
  /// The least width to which a column of texts is wrapped.
  private static let leastWidth = 16

  private let limit: Int
  private let styling: Styling

  init(_ destination: ReportDestination) {
    (limit, styling) = (destination.columns, destination.styling)
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
    case .grid(let grid):
      lines(of: widest(grid))
        + grid.remarks.flatMap { TextLayout.wrapped($0, width: limit) }
    case .drawing(let lines): folded(lines)
    case .steps(let steps): steps.flatMap(hanging)
    case .paragraph(let text): TextLayout.wrapped(text, width: limit)
    }
  }

  /// The rows of a grid with as many columns as fit: eight, four or two.
  private func widest(_ grid: ValueGrid) -> SheetTable {
    let tables = [8, 4].map(grid.table)
    return tables.first { width(of: Columns(of: $0).widths) <= limit } ?? grid.table(columnCount: 2)
  }

  // MARK: - Lines beside each other

  /// Cuts lines that stand in step at blanks that all of them have; what leads to the first digit
  /// is repeated.
  private func folded(_ lines: [String]) -> [String] {
    guard let first = lines.first, lines.contains(where: { TextLayout.width($0) > limit }) else {
      return lines
    }
    let label = first.prefix { !$0.isNumber }.count
    let rows = lines.map(Array.init)
    let length = rows.map(\.count).max() ?? 0
    func isBlank(_ column: Int) -> Bool {
      rows.allSatisfy { $0.count <= column || $0[column] == " " }
    }
    var result: [String] = []
    var start = label
    while start < length {
      let end = min(length, start + limit - label)
      let cut = end == length ? end : (start + 1..<end).last(where: isBlank) ?? end
      result += rows.map { row in
        String(row.prefix(label) + row.prefix(cut).dropFirst(start))
      }
      start = cut + 1
    }
    return result
  }

  /// Wraps `name = what it is`, what follows standing under what it is.
  private func hanging(_ step: String) -> [String] {
    let indentation = step.firstRange(of: "= ").map {
      step.distance(from: step.startIndex, to: $0.upperBound)
    }
    let margin = min(indentation ?? 2, 24)
    guard TextLayout.width(step) > limit else { return [step] }
    let head = step.prefix(margin)
    let rest = TextLayout.wrapped(String(step.dropFirst(margin)), width: limit - margin)
    return rest.enumerated().map {
      ($0.offset == 0 ? String(head) : String(repeating: " ", count: margin)) + $0.element
    }
  }

  // MARK: - Tables

  /// The texts of a table with the lines of its headings and the widths of its columns.
  private struct Columns {
    let table: SheetTable
    let texts: [[String]]
    var headings: [[String]]

    init(of table: SheetTable) {
      self.table = table
      texts = table.rows.map { $0.map(\.sheetText) }
      headings = table.columns.map { [$0.title] }
    }

    var widths: [Int] {
      table.columns.indices.map { index in
        (headings[index] + texts.map { $0[index] }).map(TextLayout.width).max() ?? 0
      }
    }

    mutating func breakHeadings() {
      headings = table.columns.indices.map { index in
        TextLayout.wrappedHeading(
          table.columns[index].title, over: texts.map { TextLayout.width($0[index]) }.max() ?? 0)
      }
    }
  }

  private func width(of widths: [Int]) -> Int {
    widths.reduce(0, +) + (widths.count - 1) * Self.gap.count
  }

  private func lines(of table: SheetTable) -> [String] {
    var columns = Columns(of: table)
    if width(of: columns.widths) > limit { columns.breakHeadings() }
    var widths = columns.widths
    shrink(&widths, of: table)
    return groups(widths).map { lines(of: columns, $0, widths).joined(separator: "\n") }
      .joined(separator: "\n\n").split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  /// Takes from the widest column of texts until the table fits or no column can give more.
  private func shrink(_ widths: inout [Int], of table: SheetTable) {
    while width(of: widths) > limit {
      let candidates = table.columns.indices.dropFirst().filter {
        table.columns[$0].alignment == .left && widths[$0] > Self.leastWidth
      }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
    }
  }

  /// The columns that stand side by side: the first, then as many others as fit, at least one.
  private func groups(_ widths: [Int]) -> [[Int]] {
    var groups: [[Int]] = []
    var group = [0]
    for index in widths.indices.dropFirst() {
      if group.count > 1, width(of: (group + [index]).map { widths[$0] }) > limit {
        groups.append(group)
        group = [0]
      }
      group.append(index)
    }
    return groups + [group]
  }

  private func lines(of columns: Columns, _ group: [Int], _ widths: [Int]) -> [String] {
    let height = group.map { columns.headings[$0].count }.max() ?? 0
    let headings = (0..<height).map { line in
      // Headings stand on the rule, so that short ones begin below.
      let fields = group.map { index in
        let offset = line - (height - columns.headings[index].count)
        return offset < 0 ? "" : columns.headings[index][offset]
      }
      return styling.apply(.bold, to: joined(fields, group, widths, columns.table))
    }
    let rule = group.map { String(repeating: "-", count: widths[$0]) }.joined(separator: Self.gap)
    return headings + [rule]
      + columns.texts.flatMap { row($0, group, widths, columns.table) }
  }

  /// A row as one line, or more where a text does not fit into its column.
  private func row(
    _ fields: [String], _ group: [Int], _ widths: [Int], _ table: SheetTable
  ) -> [String] {
    let wrapped = group.map { index in
      TextLayout.width(fields[index]) <= widths[index]
        ? [fields[index]] : TextLayout.wrapped(fields[index], breaking: widths[index])
    }
    return (0..<(wrapped.map(\.count).max() ?? 1)).map { line in
      let fields = wrapped.map { line < $0.count ? $0[line] : "" }
      return joined(fields, group, widths, table)
    }
  }

  private func joined(
    _ fields: [String], _ group: [Int], _ widths: [Int], _ table: SheetTable
  ) -> String {
    var text = zip(fields, group).map { field, index in
      let padding = String(
        repeating: " ", count: max(0, widths[index] - TextLayout.width(field)))
      return table.columns[index].alignment == .left ? field + padding : padding + field
    }
    .joined(separator: Self.gap)
    while text.last == " " { text.removeLast() }
    return text
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
      ([text(of: grid.table())]
        + (grid.remarks.isEmpty ? [] : [grid.remarks.joined(separator: " ")]))
        .joined(separator: "\n\n")
    case .drawing(let lines), .steps(let lines):
      "```text\n" + lines.joined(separator: "\n") + "\n```"
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
        MarkdownText.row(row.map { MarkdownText.escaped($0.sheetText) })
      })
      .joined(separator: "\n")
  }
}

extension Cell {
  /// The cell for people; numbers are exact.
  var sheetText: String {
    if case .number(let value) = self { return ExactNumber.text(value) }
    return TextLayout.escaped(exactText)
  }
}
