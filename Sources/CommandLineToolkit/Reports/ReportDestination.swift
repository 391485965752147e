/// Where a report is going, which decides its layout but never its content.
package enum ReportDestination: Sendable {
  /// A file or a pipe, laid out for so many columns.
  case stream(columns: Int)
  /// A terminal of so many columns.
  case terminal(columns: Int, styling: Styling)

  /// A file that lasts, whose layout depends on nothing around it.
  package static let file = stream(columns: TextLayout.pageWidth)

  /// The columns that text keeps to.
  package var columns: Int {
    switch self {
    case .stream(let columns), .terminal(let columns, _): columns
    }
  }

  /// Whether text has attributes.
  package var styling: Styling {
    switch self {
    case .stream: .plain
    case .terminal(_, let styling): styling
    }
  }
}
