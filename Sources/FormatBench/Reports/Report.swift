import BlockFormats

/// The result of a command before it has a form: facts about the run, and a table of cells.
///
/// Every row has a cell for every column. What holds for the whole run (seed, rounding, kernel
/// level) is a fact; what a program should be able to read is a fact or a cell, never a note.
struct Report: Sendable {
  /// Something that holds for the whole run.
  struct Fact: Sendable {
    /// The JSON key, in snake case.
    var key: String
    var value: Cell
    /// How a number is written for people.
    var style: NumberStyle = .general
  }

  /// The name of the command.
  let command: String
  /// In the order they are written: what holds for every report, then what the command tells.
  let context: [Fact]
  let columns: [Column]
  /// Sentences for the human reader, below the table; machine-readable forms leave them out.
  var notes: [String]
  /// The rows, each as long as `columns`.
  private(set) var rows: [[Cell]] = []

  /// What every report tells: which kernels run where the command line chooses none.
  static var commonContext: [Fact] {
    [Fact(key: "kernel_level", value: .text(KernelLevel.best.id))]
  }

  /// An empty report.
  ///
  /// - Precondition: keys are not repeated, neither among the columns nor among the top-level keys.
  init(command: String, context: [Fact] = [], columns: [Column], notes: [String] = []) {
    let context = Self.commonContext + context
    let topLevel = ["command", "version", "rows"] + context.map(\.key)
    precondition(
      Set(topLevel).count == topLevel.count, "report '\(command)' repeats a key: \(topLevel)")
    precondition(
      Set(columns.map(\.key)).count == columns.count,
      "report '\(command)' repeats a column: \(columns.map(\.key))")
    self.command = command
    self.context = context
    self.columns = columns
    self.notes = notes
  }

  /// Adds a row.
  ///
  /// - Precondition: it has one cell for each column.
  mutating func append(_ row: [Cell]) {
    precondition(
      row.count == columns.count,
      "report '\(command)': row of \(row.count) cells for \(columns.count) columns")
    rows.append(row)
  }
}
