/// A report as an aligned table for people.
///
/// The table keeps within the width of its destination, in steps: headings break into several
/// lines, long names lose their middle, the gaps between columns shrink to one blank, headings that
/// are names are cut, and at last the columns are told in groups one below the other, the names
/// repeated in each. A row is never wrapped and no column dropped.
package struct TextTable {
  /// The blanks between columns, while there is room for them.
  private static let gap = 2
  /// The least width to which a long name is cut.
  private static let leastNameWidth = 16
  /// The least width to which a heading that is a name is cut.
  private static let leastHeadingWidth = 5

  private let report: Report
  private let limit: Int
  private let styling: Styling
  /// The indices of the columns that are shown as such.
  private let shown: [Int]
  /// The texts of the rows, by row and then by index of the column.
  private let texts: [[String]]

  /// Prepares the texts of a report.
  package init(_ report: Report, _ destination: ReportDestination) {
    self.report = report
    (limit, styling) = (destination.columns, destination.styling)
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

  /// Whether all columns stand side by side within the width.
  package var isWhole: Bool {
    let groups = columnGroups()
    return groups.count == 1 && groups[0].width <= limit
  }

  /// The table with its heading, facts and notes.
  package var text: String {
    let groups = columnGroups()
    let blocks =
      [heading()] + (report.rows.isEmpty ? [["(no rows)"]] : groups.map(lines))
      + report.notes.map {
        TextLayout.wrapped(TextLayout.escaped($0), width: limit)
      }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func heading() -> [String] {
    var lines = [
      styling.apply(.bold, to: "\(report.producer.name) \(report.command)")
        + " \(report.producer.version)"
    ]
    lines += (report.producer.machine + report.context).flatMap { fact in
      TextLayout.wrapped(
        fact.key.replacing("_", with: " ") + ": " + fact.value.displayText(fact.style),
        width: limit)
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

  /// Columns that stand side by side.
  private struct Group {
    var layouts: [Layout]
    var gap = TextTable.gap

    var width: Int {
      layouts.reduce(0) { $0 + $1.width } + max(0, layouts.count - 1) * gap
    }
  }

  private func columnGroups() -> [Group] {
    let wide = Group(layouts: shown.map { layout($0, [report.columns[$0].heading]) })
    guard wide.width > limit else { return [wide] }
    var narrow = Group(
      layouts: shown.map { layout($0, report.columns[$0].headingLines(over: valueWidth($0))) })
    cutLongNames(of: &narrow)
    guard narrow.width > limit else { return [narrow] }
    var tight = narrow
    tight.gap = 1
    cutHeadingNames(of: &tight)
    return tight.width <= limit ? [tight] : parts(of: narrow.layouts)
  }

  private func layout(_ index: Int, _ heading: [String]) -> Layout {
    let widths = heading.map(TextLayout.width) + [valueWidth(index)]
    return Layout(index: index, heading: heading, width: widths.max() ?? 0)
  }

  /// The width of a column's widest cell.
  private func valueWidth(_ index: Int) -> Int {
    texts.map { TextLayout.width($0[index]) }.max() ?? 0
  }

  private func cutLongNames(of group: inout Group) {
    for position in group.layouts.indices
    where report.columns[group.layouts[position].index].role == .longName {
      let width = group.layouts[position].width
      let least = min(width, Self.leastNameWidth)
      group.layouts[position].width = max(least, width - max(0, group.width - limit))
    }
  }

  /// Takes from the widest of the headings that are names until the group fits or none can give.
  private func cutHeadingNames(of group: inout Group) {
    while group.width > limit {
      let candidates = group.layouts.indices.filter { position in
        let layout = group.layouts[position]
        return report.columns[layout.index].role == .namedValue
          && layout.width > max(valueWidth(layout.index), Self.leastHeadingWidth)
      }
      let widest = candidates.max { group.layouts[$0].width < group.layouts[$1].width }
      guard let widest else { return }
      group.layouts[widest].width -= 1
    }
  }

  /// The names, then as many of the other columns as fit, at least one; and so on.
  private func parts(of layouts: [Layout]) -> [Group] {
    let isName = { (layout: Layout) in
      let role = report.columns[layout.index].role
      return role == .name || role == .longName
    }
    let names = layouts.filter(isName)
    var groups: [Group] = []
    var group = Group(layouts: names)
    for layout in layouts where !isName(layout) {
      let extended = Group(layouts: group.layouts + [layout])
      if group.layouts.count > names.count, extended.width > limit {
        groups.append(group)
        group = Group(layouts: names)
      }
      group.layouts.append(layout)
    }
    return groups + [group]
  }

  // MARK: - Lines

  private func lines(_ group: Group) -> [String] {
    let height = group.layouts.map(\.heading.count).max() ?? 0
    let headings = (0..<height).map { line in
      // Headings stand on the rule, so that short ones begin below.
      let fields = group.layouts.map { layout in
        let offset = line - (height - layout.heading.count)
        return offset < 0 ? "" : layout.heading[offset]
      }
      return styling.apply(.bold, to: joined(fields, group))
    }
    let rule = group.layouts.map { String(repeating: "-", count: $0.width) }
    return headings + [joined(rule, group)]
      + texts.map { row in joined(group.layouts.map { row[$0.index] }, group) }
  }

  private func joined(_ fields: [String], _ group: Group) -> String {
    var line = zip(fields, group.layouts).map { field, layout in
      let field = TextLayout.elided(field, width: layout.width)
      let padding = String(repeating: " ", count: layout.width - TextLayout.width(field))
      return report.columns[layout.index].alignment == .left ? field + padding : padding + field
    }
    .joined(separator: String(repeating: " ", count: group.gap))
    while line.last == " " { line.removeLast() }
    return line
  }
}
