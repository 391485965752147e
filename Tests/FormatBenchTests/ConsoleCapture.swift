import Synchronization

@testable import FormatBench

/// A sink that keeps what is written, and can pretend to be a terminal or to fail.
final class CaptureSink: TextSink {
  let terminalColumns: Int?
  private let failure: WriteFailure?
  private let bytes = Mutex<[UInt8]>([])

  init(terminalColumns: Int? = nil, failure: WriteFailure? = nil) {
    self.terminalColumns = terminalColumns
    self.failure = failure
  }

  var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  func write(_ bytes: [UInt8]) throws(WriteFailure) {
    if let failure { throw failure }
    self.bytes.withLock { $0 += bytes }
  }
}

/// What a run of the tool left behind.
struct RunResult: Equatable {
  var status: ExitStatus
  var stdout: String
  var stderr: String
}

/// Runs one command line of `fmtbench` in this process, as a shell with two pipes would.
///
/// - Parameter columns: what the environment says about the width of text; nothing by default.
func runFmtbench(_ arguments: [String], columns: Int? = nil) -> RunResult {
  run(Fmtbench.tool, arguments, variables: columns.map { ["COLUMNS": String($0)] } ?? [:])
}

/// Runs one command line of a tool, on sinks that may be terminals or fail.
func run(
  _ tool: CommandLineTool, _ arguments: [String], output: CaptureSink = CaptureSink(),
  messages: CaptureSink = CaptureSink(), variables: [String: String] = [:]
) -> RunResult {
  let console = Console(
    output: output, messages: messages, environment: TerminalEnvironment(variables))
  let status = tool.run(arguments, console)
  return RunResult(status: status, stdout: output.text, stderr: messages.text)
}
