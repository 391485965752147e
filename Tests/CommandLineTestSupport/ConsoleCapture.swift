package import CommandLineToolkit
import Synchronization

/// A sink that keeps what is written, and can pretend to be a terminal or to fail.
package final class CaptureSink: TextSink {
  package let terminalColumns: Int?
  private let failure: WriteFailure?
  private let bytes = Mutex<[UInt8]>([])

  package init(terminalColumns: Int? = nil, failure: WriteFailure? = nil) {
    self.terminalColumns = terminalColumns
    self.failure = failure
  }

  package var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  package func write(_ bytes: [UInt8]) throws(WriteFailure) {
    if let failure { throw failure }
    self.bytes.withLock { $0 += bytes }
  }
}

/// What a run of the tool left behind.
package struct RunResult: Equatable {
  package var status: ExitStatus
  package var stdout: String
  package var stderr: String

  package init(status: ExitStatus, stdout: String, stderr: String) {
    self.status = status
    self.stdout = stdout
    self.stderr = stderr
  }
}

/// Runs one command line of a tool, on sinks that may be terminals or fail.
package func run(
  _ tool: CommandLineTool, _ arguments: [String], output: CaptureSink = CaptureSink(),
  messages: CaptureSink = CaptureSink(), variables: [String: String] = [:]
) -> RunResult {
  let console = Console(
    tool: tool.name, output: output, messages: messages, environment: TerminalEnvironment(variables)
  )
  let status = tool.run(arguments, console)
  return RunResult(status: status, stdout: output.text, stderr: messages.text)
}
