/// A report as an aligned table for people.
///
/// On a terminal the table keeps within the width, in steps: headings break at blanks into several
/// lines, long names lose their middle, and at last the columns are told in groups one below the
/// other, the names repeated in each. A row is never wrapped and no column dropped. Files and
/// pipes get lines as long as they need to be.
struct TextTable {
  private static let gap = "  "
  /// The least width to which a long name is cut.
  private static let leastNameWidth = 16

  private let report: Report
  private let limit: Int?
  private let styling: Styling
  /// The indices of the columns that are shown as such.
  private let shown: [Int]
  /// The texts of the rows, by row and then by index of the column.
  private let texts: [[String]]

  /// Prepares the texts of a report.
  init(_ report: Report, _ destination: ReportDestination) {
    self.report = report
    switch destination {
    case .stream: (limit, styling) = (nil, .plain)
    case .terminal(let columns, let styling): (limit, self.styling) = (columns, styling)
    }
    texts = report.rows.map { row in
      zip(report.columns, row).map { $1.displayText($0.style) }
    }
    let texts = texts
    let uniform = report.columns.indices.filter { index in
      report.columns[index].role == .setting && texts.count > 1
        && texts.allSatisfy { $0[index] == texts[0][index] }
    }
    shown = report.columns.indices.filter { !uniform.contains($0) }
  }

  /// The table with its heading, facts and notes.
  var text: String {
    let groups = columnGroups()
    let blocks =
      [heading()] + (report.rows.isEmpty ? [["(no rows)"]] : groups.map(lines))
      + report.notes.map {
        TextLayout.wrapped(TextLayout.escaped($0), width: limit ?? TextLayout.pageWidth)
      }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func heading() -> [String] {
    var lines = [
      styling.apply(.bold, to: "fmtbench \(report.command)") + " \(Fmtbench.version)"
    ]
    lines += report.context.flatMap { fact in
      TextLayout.wrapped(
        fact.key.replacing("_", with: " ") + ": " + fact.value.displayText(fact.style),
        width: limit ?? TextLayout.pageWidth)
    }
    for index in report.columns.indices where !shown.contains(index) {
      lines.append("\(report.columns[index].title.lowercased()): \(texts[0][index])")
    }
    return lines
  }

  // MARK: - Widths

  /// A column as it is laid out.
  private struct Layout {
    let index: Int
    var heading: [String]
    var width: Int
  }

  private func columnGroups() -> [[Layout]] {
    let wide = shown.map { layout($0, heading: [report.columns[$0].heading]) }
    guard let limit, Self.totalWidth(wide) > limit else { return [wide] }
    var narrow = shown.map {
      layout($0, heading: report.columns[$0].heading.split(separator: " ").map(String.init))
    }
    shrinkLongNames(&narrow, to: limit)
    guard Self.totalWidth(narrow) > limit else { return [narrow] }
    return grouped(narrow, limit)
  }

  private func layout(_ index: Int, heading: [String]) -> Layout {
    let widths = heading.map(TextLayout.width) + texts.map { TextLayout.width($0[index]) }
    return Layout(index: index, heading: heading, width: widths.max() ?? 0)
  }

  private static func totalWidth(_ layouts: [Layout]) -> Int {
    layouts.reduce(0) { $0 + $1.width } + max(0, layouts.count - 1) * gap.count
  }

  private func shrinkLongNames(_ layouts: inout [Layout], to limit: Int) {
    for position in layouts.indices
    where report.columns[layouts[position].index].role == .longName {
      let excess = Self.totalWidth(layouts) - limit
      let least = min(layouts[position].width, Self.leastNameWidth)
      layouts[position].width = max(least, layouts[position].width - max(0, excess))
    }
  }

  /// The names, then as many of the other columns as fit, at least one; and so on.
  private func grouped(_ layouts: [Layout], _ limit: Int) -> [[Layout]] {
    let isName = { (layout: Layout) in
      let role = report.columns[layout.index].role
      return role == .name || role == .longName
    }
    let names = layouts.filter(isName)
    var groups: [[Layout]] = []
    var group = names
    for layout in layouts where !isName(layout) {
      if group.count > names.count, Self.totalWidth(group + [layout]) > limit {
        groups.append(group)
        group = names
      }
      group.append(layout)
    }
    return groups + [group]
  }

  // MARK: - Lines

  private func lines(_ group: [Layout]) -> [String] {
    let height = group.map(\.heading.count).max() ?? 0
    let headings = (0..<height).map { line in
      // Headings stand on the rule, so that short ones begin below.
      let fields = group.map { layout in
        let offset = line - (height - layout.heading.count)
        return offset < 0 ? "" : layout.heading[offset]
      }
      return styling.apply(.bold, to: Self.joined(fields, group, report))
    }
    let rule = group.map { String(repeating: "-", count: $0.width) }
    let rows = texts.map { row in
      Self.joined(
        group.map { TextLayout.elided(row[$0.index], width: $0.width) }, group, report)
    }
    return headings + [rule.joined(separator: Self.gap)] + rows
  }

  private static func joined(_ fields: [String], _ group: [Layout], _ report: Report) -> String {
    var line = zip(fields, group).map { field, layout in
      let padding = String(repeating: " ", count: max(0, layout.width - TextLayout.width(field)))
      return report.columns[layout.index].alignment == .left ? field + padding : padding + field
    }
    .joined(separator: gap)
    while line.last == " " { line.removeLast() }
    return line
  }
}
