import Synchronization

/// What a command talks to: data on one sink, messages on another.
///
/// Data is buffered and written in large pieces. Once the reader of the data has gone
/// (`tool list | head -1`), the rest is dropped in silence; any other failure to write is kept
/// and returned by `finish()`. Usable from several threads at once.
package final class Console: Sendable {
  private struct State {
    var buffer: [UInt8] = []
    var failure: WriteFailure?
    var warnings = WarningTally()
    var progress = ProgressLine()
    var isSilent = false
  }

  private static let bufferSize = 1 << 16

  private let tool: String
  private let output: any TextSink
  private let messages: any TextSink
  private let environment: TerminalEnvironment
  /// What this process was built from.
  package let build: BuildStamp
  private let state = Mutex(State())

  /// A console on the given sinks.
  ///
  /// - Parameters:
  ///   - tool: The name that messages begin with.
  ///   - output: Where data goes.
  ///   - messages: Where everything else goes.
  ///   - environment: What is known of terminals.
  ///   - build: What this process was built from.
  package init(
    tool: String, output: any TextSink, messages: any TextSink,
    environment: TerminalEnvironment, build: BuildStamp = .unknown
  ) {
    self.tool = tool
    self.build = build
    self.output = output
    self.messages = messages
    self.environment = environment
  }

  /// How reports are laid out on the data sink: as wide as `COLUMNS` says, else as the terminal is,
  /// else 80 columns.
  package var destination: ReportDestination {
    let columns = environment.columns ?? output.terminalColumns ?? TextLayout.pageWidth
    return output.terminalColumns == nil
      ? .stream(columns: columns) : .terminal(columns: columns, styling: environment.styling)
  }

  /// Adds data.
  package func write(_ text: String) {
    state.withLock { state in
      guard state.failure == nil else { return }
      state.buffer += text.utf8
      if state.buffer.count >= Self.bufferSize { flush(&state) }
    }
  }

  /// Adds a report in the form asked for.
  package func write(_ report: Report, as format: ReportFormat) {
    write(format.text(of: report, for: destination))
  }

  /// Writes out what is buffered, for commands whose data comes in slowly.
  package func flush() {
    state.withLock { flush(&$0) }
  }

  /// Notes something the user should know though the run goes on.
  ///
  /// All warnings of a run become one line at its end; equal ones are counted.
  package func warn(_ text: String) {
    state.withLock { $0.warnings.add(text) }
  }

  /// Leaves out progress and notes from here on.
  func silence() {
    state.withLock { $0.isSilent = true }
  }

  /// Says what was done, in one line among the messages.
  package func note(_ text: String) {
    state.withLock { state in
      guard !state.isSilent else { return }
      flush(&state)
      send(state.progress.clear())
      send(tool + ": " + TextLayout.escaped(text) + "\n")
    }
  }

  /// Shows how far a long run is, in place of what it showed before; only on a terminal.
  ///
  /// - Parameter text: computed only when it is shown, at most ten times a second.
  package func progress(_ text: @autoclosure () -> String) {
    guard let columns = messages.terminalColumns, environment.understandsControls else { return }
    state.withLock { state in
      guard !state.isSilent, state.progress.isDue else { return }
      send(state.progress.show(text(), columns: columns))
    }
  }

  /// Writes at once what the user waits to hear.
  package func tell(_ text: String) {
    state.withLock { state in
      send(state.progress.clear())
      send(message("note", .yellow, text))
    }
  }

  /// Writes an error: one line, and a second one where it has a hint.
  package func report(_ error: CommandError) {
    state.withLock { state in
      flush(&state)
      send(state.progress.clear())
      var lines = message("error", .red, error.message)
      if let hint = error.hint { lines += TextLayout.escaped(hint) + "\n" }
      send(lines)
    }
  }

  /// Ends the run: writes the rest of the data, then the warnings.
  ///
  /// - Returns: an error when data could not be written; nil when its reader has gone.
  func finish() -> CommandError? {
    state.withLock { state in
      flush(&state)
      send(state.progress.clear())
      if let warnings = state.warnings.line {
        send(message("warning", .yellow, warnings))
        state.warnings = WarningTally()
      }
      guard case .failed(let cause) = state.failure else { return nil }
      return .input("cannot write standard output: \(cause)")
    }
  }

  private func message(_ kind: String, _ colour: TextStyle, _ text: String) -> String {
    let styling: Styling = messages.terminalColumns == nil ? .plain : environment.styling
    return tool + ": " + styling.apply(colour, to: kind + ":") + " "
      + TextLayout.escaped(text) + "\n"
  }

  private func flush(_ state: inout State) {
    guard state.failure == nil, !state.buffer.isEmpty else { return }
    // On one terminal, data must not land behind a progress line.
    if output.terminalColumns != nil { send(state.progress.clear()) }
    do {
      try output.write(state.buffer)
    } catch {
      state.failure = error
    }
    state.buffer.removeAll(keepingCapacity: true)
  }

  /// Messages that nobody can read any more are not worth an error.
  private func send(_ text: String) {
    guard !text.isEmpty else { return }
    try? messages.write(Array(text.utf8))
  }
}
