import BlockFormats
import CallerChecks
import CommandLineToolkit

/// A titled sequence of tables, drawings and sentences: what `show`, `explain` and the reference
/// document are made of, before it has a form.
struct SheetSection: Sendable {
  /// The name for programs, in snake case.
  var key: String
  var title: String
  var parts: [SheetPart]
}

/// One piece of a section.
enum SheetPart: Sendable {
  case table(SheetTable)
  /// Values of codes, laid out as a grid.
  case grid(ValueGrid)
  /// Lines whose columns must stay aligned.
  case drawing([String])
  /// Formulas, one a line.
  case steps([String])
  case paragraph(String)
}

/// A table of a sheet, whose first column names the row.
struct SheetTable: Sendable {
  /// A column: its name for programs, its heading, and where its cells stand.
  struct Column: Sendable {
    var key: String
    var title: String
    var alignment: CommandLineToolkit.Column.Alignment = .left

    init(_ key: String, _ title: String, _ alignment: CommandLineToolkit.Column.Alignment = .left) {
      self.key = key
      self.title = title
      self.alignment = alignment
    }
  }

  let columns: [Column]
  private(set) var rows: [[Cell]] = []

  init(_ columns: [Column], rows: [[Cell]] = []) {
    self.columns = columns
    for row in rows { append(row) }
  }

  /// Adds a row.
  ///
  /// - Precondition: it has one cell for each column.
  mutating func append(_ row: [Cell]) {
    require(
      row.count == columns.count,
      "row of \(row.count) cells for columns \(columns.map(\.key))")
    rows.append(row)
  }

  /// The table without the columns that are empty in every row.
  func withoutEmptyColumns() -> SheetTable {
    let kept = columns.indices.filter { index in
      rows.contains { $0[index] != .text("") }
    }
    return SheetTable(
      kept.map { columns[$0] }, rows: rows.map { row in kept.map { row[$0] } })
  }
}

/// One fact of a sheet for programs.
struct SheetFact: Sendable {
  var section: String
  var item: String
  var field: String
  var value: Cell
}

extension SheetSection {
  /// Everything the section says, but for drawings, formulas and sentences.
  var facts: [SheetFact] {
    parts.flatMap { part -> [SheetFact] in
      switch part {
      case .table(let table):
        table.rows.flatMap { row in
          zip(table.columns, row).dropFirst().compactMap { column, cell in
            cell == .text("")
              ? nil
              : SheetFact(
                section: key, item: row[0].exactText.replacing(" ", with: "_"),
                field: column.key, value: cell)
          }
        }
      case .grid(let grid):
        grid.codes.map {
          SheetFact(
            section: key, item: ExactNumber.hex($0, bitWidth: grid.element.bitWidth),
            field: "value", value: .number(grid.element.value(of: $0)))
        }
      case .drawing, .steps, .paragraph: []
      }
    }
  }
}
