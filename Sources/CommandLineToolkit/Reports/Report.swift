import CallerChecks

/// The result of a command before it has a form: facts about the run, and a table of cells.
///
/// Every row has a cell for every column. What holds for the whole run (seed, rounding) is a fact;
/// what a program should be able to read is a fact or a cell, never a note.
package struct Report: Sendable {
  /// Something that holds for the whole run.
  package struct Fact: Sendable {
    /// The JSON key, in snake case.
    package var key: String
    package var value: Cell
    /// How a number is written for people.
    package var style: NumberStyle

    /// A fact; numbers have the general style by default.
    package init(key: String, value: Cell, style: NumberStyle = .general) {
      self.key = key
      self.value = value
      self.style = style
    }
  }

  /// Where the same command line gives the same numbers.
  package enum Reproducibility: Sendable {
    /// On every machine: threads and processor change no digit.
    case everywhere
    /// Only here: among the numbers are times.
    case thisMachine
  }

  /// The program that makes the report.
  package let producer: ReportProducer
  /// The name of the command.
  package let command: String
  /// Where the numbers hold, which decides whether a table to be kept tells the machine.
  package let reproducibility: Reproducibility
  /// What the command tells, in the order it is written.
  package let context: [Fact]
  package let columns: [Column]
  /// Sentences for the human reader, below the table; machine-readable forms leave them out.
  package var notes: [String]
  /// The rows, each as long as `columns`.
  private(set) var rows: [[Cell]] = []

  /// An empty report.
  ///
  /// - Precondition: keys are not repeated, neither among the columns nor among the top-level keys.
  package init(
    by producer: ReportProducer, command: String,
    reproducibility: Reproducibility = .thisMachine, context: [Fact] = [], columns: [Column],
    notes: [String] = []
  ) {
    let topLevel = ["command", "version", "rows"] + (producer.machine + context).map(\.key)
    require(
      Set(topLevel).count == topLevel.count, "report '\(command)' repeats a key: \(topLevel)")
    require(
      Set(columns.map(\.key)).count == columns.count,
      "report '\(command)' repeats a column: \(columns.map(\.key))")
    self.producer = producer
    self.command = command
    self.reproducibility = reproducibility
    self.context = context
    self.columns = columns
    self.notes = notes
  }

  /// Adds a row.
  ///
  /// - Precondition: it has one cell for each column.
  package mutating func append(_ row: [Cell]) {
    require(
      row.count == columns.count,
      "report '\(command)': row of \(row.count) cells for \(columns.count) columns")
    rows.append(row)
  }

  /// The report with these columns alone, in this order.
  ///
  /// - Precondition: the keys are those of columns; a repeated one counts once.
  package func selecting(_ keys: [String]) -> Report {
    var indices: [Int] = []
    for key in keys {
      guard let index = columns.firstIndex(where: { $0.key == key }) else {
        refuse("report '\(command)' has no column '\(key)'")
      }
      if !indices.contains(index) { indices.append(index) }
    }
    var report = Report(
      by: producer, command: command, reproducibility: reproducibility, context: context,
      columns: indices.map { columns[$0] }, notes: notes)
    for row in rows { report.append(indices.map { row[$0] }) }
    return report
  }
}
