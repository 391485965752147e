/// A column of a report.
package struct Column: Sendable {
  /// Where the cells stand within the width of the column.
  package enum Alignment: Sendable {
    case left
    case right
  }

  /// What a table may do with the column when the terminal is too narrow.
  package enum Role: Sendable {
    /// Nothing: a measured value, shown whole.
    case value
    /// Names the row; repeated when the columns do not fit side by side, and never cut.
    case name
    /// Names the row with a text that may be long: repeated, and cut in the middle to fit.
    case longName
    /// A measured value whose heading is a name: it breaks at punctuation, and is cut in the middle.
    case namedValue
    /// A setting; told once above the table when it is the same in all rows.
    case setting
  }

  /// The JSON key and CSV heading, in snake case.
  package let key: String
  /// The heading for people.
  package let title: String
  /// The unit, after the heading; nil for none.
  package let unit: String?
  package let alignment: Alignment
  package let style: NumberStyle
  package let role: Role

  /// A column of texts, to the left.
  package init(key: String, title: String, role: Role = .name) {
    self.key = key
    self.title = title
    self.unit = nil
    self.alignment = .left
    self.style = .general
    self.role = role
  }

  /// A column of numbers, to the right.
  package init(
    key: String, title: String, unit: String? = nil, style: NumberStyle, role: Role = .value
  ) {
    self.key = key
    self.title = title
    self.unit = unit
    self.alignment = .right
    self.style = style
    self.role = role
  }

  /// Title and unit.
  package var heading: String {
    unit.map { "\(title) \($0)" } ?? title
  }

  /// The heading in lines over cells of a width, as narrow as it gets whole.
  func headingLines(over cellWidth: Int) -> [String] {
    guard role == .namedValue else {
      return TextLayout.wrappedHeading(heading, over: cellWidth)
    }
    let parts = heading.split { " _.-/:".contains($0) }.map(String.init)
    return parts.isEmpty ? [heading] : parts
  }
}
