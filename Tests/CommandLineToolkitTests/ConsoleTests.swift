import CommandLineTestSupport
import Testing

@testable import CommandLineToolkit

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("The console")
struct ConsoleTests {
  @Test("Output whose reader has gone is dropped without an error")
  func readerGone() {
    let output = CaptureSink(failure: .readerGone)
    let result = run(DemoCommand.tool, ["demo", "x", "1"], output: output)
    #expect(result == RunResult(status: .done, stdout: "", stderr: ""))
  }

  @Test("Output that cannot be written is an error with its cause")
  func diskFull() {
    let output = CaptureSink(failure: .failed("No space left on device"))
    #expect(
      run(DemoCommand.tool, ["demo", "x", "1"], output: output)
        == RunResult(
          status: .input, stdout: "",
          stderr: """
            fmtbench: error: cannot write standard output: No space left on device

            """))
  }

  @Test("A closed pipe is told apart from other failures of the system")
  func descriptors() {
    ignoreWriteSignals()
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let sink = FileDescriptorSink(ends[1])
    #expect(sink.terminalColumns == nil)
    #expect(throws: Never.self) { try sink.write(Array("abc".utf8)) }
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(read(ends[0], &bytes, 8) == 3)
    #expect(bytes.prefix(3).elementsEqual("abc".utf8))
    close(ends[0])
    #expect(throws: WriteFailure.readerGone) { try sink.write([1]) }
    close(ends[1])
    let message = String(cString: strerror(EBADF))
    #expect(throws: WriteFailure.failed(message)) {
      try FileDescriptorSink(-1).write([1])
    }
  }

  @Test("More than three different warnings are counted, not told")
  func manyWarnings() {
    var tally = WarningTally()
    #expect(tally.line == nil)
    for text in ["a", "b", "a", "c", "d", "e", "e"] { tally.add(text) }
    #expect(tally.line == "a (2 times); b; c; and 3 more")
  }

  @Test("Colour needs a terminal, no NO_COLOR and a terminal that is not dumb")
  func colour() {
    func messages(_ variables: [String: String], terminal: Bool) -> String {
      let sink = CaptureSink(terminalColumns: terminal ? 80 : nil)
      return run(DemoCommand.tool, ["demo", "fail"], messages: sink, variables: variables).stderr
    }
    let plain = "fmtbench: error: 2 of 3 checks failed\n"
    #expect(messages([:], terminal: false) == plain)
    #expect(messages(["NO_COLOR": "1"], terminal: true) == plain)
    #expect(messages(["TERM": "dumb"], terminal: true) == plain)
    let coloured = "fmtbench: \u{1B}[31merror:\u{1B}[0m 2 of 3 checks failed\n"
    #expect(messages([:], terminal: true) == coloured)
    #expect(messages(["NO_COLOR": ""], terminal: true) == coloured)
  }

  @Test("Progress is shown only on a terminal, one line cut to its width, and taken away")
  func progress() {
    func shown(_ columns: Int?, _ variables: [String: String] = [:]) -> String {
      let sink = CaptureSink(terminalColumns: columns)
      let console = Console(
        tool: "fmtbench", output: CaptureSink(), messages: sink,
        environment: TerminalEnvironment(variables))
      console.progress("tensor 1\nof 12345")
      _ = console.finish()
      return sink.text
    }
    #expect(shown(nil) == "")
    #expect(shown(80, ["TERM": "dumb"]) == "")
    #expect(shown(80) == "\r\u{1B}[Ktensor 1\\nof 12345\r\u{1B}[K")
    #expect(shown(10) == "\r\u{1B}[Ktens…2345\r\u{1B}[K")
  }

  @Test("Data is written in one piece at the end, and in pieces once there is much")
  func buffering() {
    let sink = CaptureSink()
    let console = Console(
      tool: "fmtbench", output: sink, messages: CaptureSink(), environment: TerminalEnvironment([:])
    )
    console.write("a")
    #expect(sink.text == "")
    console.flush()
    #expect(sink.text == "a")
    console.write(String(repeating: "b", count: 1 << 16))
    #expect(sink.text.utf8.count == 65537)
    console.write("c")
    #expect(console.finish() == nil)
    #expect(sink.text.hasSuffix("bc"))
  }

  @Test("Text is as wide as COLUMNS says, else as the terminal is, else 80 columns")
  func columns() {
    func columns(_ variables: [String: String], terminal: Int?) -> Int {
      let console = Console(
        tool: "fmtbench", output: CaptureSink(terminalColumns: terminal), messages: CaptureSink(),
        environment: TerminalEnvironment(variables))
      return console.destination.columns
    }
    #expect(columns(["COLUMNS": "132"], terminal: nil) == 132)
    #expect(columns(["COLUMNS": "60"], terminal: 200) == 60)
    for text in ["0", "-4", "wide", ""] {
      #expect(columns(["COLUMNS": text], terminal: nil) == 80)
      #expect(columns(["COLUMNS": text], terminal: 97) == 97)
    }
  }

  @Test("--quiet leaves out notes and progress, and keeps warnings and errors")
  func quiet() {
    func messages(_ silent: Bool) -> String {
      let sink = CaptureSink(terminalColumns: 80)
      let console = Console(
        tool: "fmtbench", output: CaptureSink(), messages: sink,
        environment: TerminalEnvironment(["TERM": "dumb"]))
      if silent { console.silence() }
      console.note("wrote a\nb")
      console.warn("skipped c")
      console.report(.input("d: no file"))
      _ = console.finish()
      return sink.text
    }
    let rest = "fmtbench: error: d: no file\nfmtbench: warning: skipped c\n"
    #expect(messages(false) == "fmtbench: wrote a\\nb\n" + rest)
    #expect(messages(true) == rest)
    let progress = CaptureSink(terminalColumns: 80)
    let console = Console(
      tool: "fmtbench", output: CaptureSink(), messages: progress,
      environment: TerminalEnvironment([:]))
    console.silence()
    console.progress("1/2")
    _ = console.finish()
    #expect(progress.text == "")
  }
}
