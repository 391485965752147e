import BlockFormats
import CallerChecks

/// The result of a command before it has a form: facts about the run, and a table of cells.
///
/// Every row has a cell for every column. What holds for the whole run (seed, rounding) is a fact;
/// what a program should be able to read is a fact or a cell, never a note.
struct Report: Sendable {
  /// Something that holds for the whole run.
  struct Fact: Sendable {
    /// The JSON key, in snake case.
    var key: String
    var value: Cell
    /// How a number is written for people.
    var style: NumberStyle = .general
  }

  /// Where the same command line gives the same numbers.
  enum Reproducibility: Sendable {
    /// On every machine: kernels, threads and processor change no digit.
    case everywhere
    /// Only here: among the numbers are times.
    case thisMachine
  }

  /// The name of the command.
  let command: String
  /// Where the numbers hold, which decides whether a table to be kept tells the machine.
  let reproducibility: Reproducibility
  /// What the command tells, in the order it is written.
  let context: [Fact]
  let columns: [Column]
  /// Sentences for the human reader, below the table; machine-readable forms leave them out.
  var notes: [String]
  /// The rows, each as long as `columns`.
  private(set) var rows: [[Cell]] = []

  /// The machine: which kernels run where the command line chooses none.
  let machine = [Fact(key: "kernel_level", value: .text(KernelLevel.best.id))]

  /// An empty report.
  ///
  /// - Precondition: keys are not repeated, neither among the columns nor among the top-level keys.
  init(
    command: String, reproducibility: Reproducibility = .thisMachine, context: [Fact] = [],
    columns: [Column], notes: [String] = []
  ) {
    let topLevel = ["command", "version", "rows"] + (machine + context).map(\.key)
    require(
      Set(topLevel).count == topLevel.count, "report '\(command)' repeats a key: \(topLevel)")
    require(
      Set(columns.map(\.key)).count == columns.count,
      "report '\(command)' repeats a column: \(columns.map(\.key))")
    self.command = command
    self.reproducibility = reproducibility
    self.context = context
    self.columns = columns
    self.notes = notes
  }

  /// Adds a row.
  ///
  /// - Precondition: it has one cell for each column.
  mutating func append(_ row: [Cell]) {
    require(
      row.count == columns.count,
      "report '\(command)': row of \(row.count) cells for \(columns.count) columns")
    rows.append(row)
  }

  /// The report with these columns alone, in this order.
  ///
  /// - Precondition: the keys are those of columns; a repeated one counts once.
  func selecting(_ keys: [String]) -> Report {
    var indices: [Int] = []
    for key in keys {
      guard let index = columns.firstIndex(where: { $0.key == key }) else {
        refuse("report '\(command)' has no column '\(key)'")
      }
      if !indices.contains(index) { indices.append(index) }
    }
    var report = Report(
      command: command, reproducibility: reproducibility, context: context,
      columns: indices.map { columns[$0] }, notes: notes)
    for row in rows { report.append(indices.map { row[$0] }) }
    return report
  }
}
