import CommandLineTestSupport
import Testing

@testable import CommandLineToolkit

@Suite("A tool with commands")
struct CommandLineToolTests {
  @Test("The help of a command shows every part of its declaration")
  func helpText() {
    #expect(
      HelpText.text(of: DemoCommand.declaration, tool: "fmtbench") == """
        Shows what was parsed.

        Usage: fmtbench demo [OPTIONS] NAME [VALUE...]

        Examples:
          # a negative value
          fmtbench demo x -0.5

        Arguments:
          NAME                    the thing to demo
          VALUE                   what to show

        Options:
          --axis N                the block axis
          --seed N                seed (default: 0)
          --gain X                the gain
          --rounding ROUNDING     the rounding: nearest-even, toward-zero, stochastic
                                  (default: nearest-even)
          --sweep ROUNDING,...    the roundings to sweep: nearest-even, toward-zero,
                                  stochastic
          --formats FORMAT,...    the formats (default: mxfp4,bdr(m=5,k1=32))
          --label TEXT            the label
          --verbose               say more
          --json                  write one JSON object instead of the table
          --csv                   write the rows as CSV, a line each: in texts, a
                                  backslash is written twice and control characters as
                                  \\n, \\r, \\t or \\u{hex}
          --markdown              write a Markdown table
          -q, --quiet             no progress and no notes, only warnings and errors
          -h, --help              show this help

        A last paragraph.

        """)
  }

  @Test("The help of the tool begins with command lines to try")
  func toolHelpText() {
    let tool = CommandLineTool(
      name: "fmtbench", version: "9.9", abstract: "Demonstrates",
      examples: [
        .init(line: "demo x", purpose: "show a thing"),
        .init(line: "demo a-rather-long-name", purpose: "show another"),
      ], commands: [DemoCommand.self])
    #expect(
      HelpText.text(of: tool) == """
        Demonstrates.

        Usage: fmtbench COMMAND [ARGUMENTS]

        To begin:
          fmtbench demo x         show a thing
          fmtbench demo a-rather-long-name
                                  show another

        Commands:
          demo                    Shows what was parsed
          help                    Shows what a command does and takes

        Options:
          --version               show the version
          -h, --help              show this help, or a command's after its name

        Exit status: 0 done; 1 a check failed, or stopped with nothing saved; 2 wrong
        usage; 3 unreadable or malformed input, or output not written; 130 stopped by
        the user, with its state saved.

        """)
  }

  @Test("A usage error without a hint of its own points to the command's help")
  func usageHint() {
    #expect(
      run(DemoCommand.tool, ["demo"])
        == RunResult(
          status: .usage, stdout: "",
          stderr: "fmtbench: error: missing argument NAME\nsee 'fmtbench demo --help'\n"))
  }

  @Test("Failed checks exit with 1, unreadable input with 3, each with one line")
  func statuses() {
    #expect(
      run(DemoCommand.tool, ["demo", "fail"])
        == RunResult(
          status: .checkFailed, stdout: "", stderr: "fmtbench: error: 2 of 3 checks failed\n"))
    #expect(
      run(DemoCommand.tool, ["demo", "broken"])
        == RunResult(
          status: .input, stdout: "", stderr: "fmtbench: error: a\\nb.npy: truncated header\n"))
    #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 130])
  }

  @Test("The warnings of a run become one line at its end")
  func warnings() {
    let result = run(DemoCommand.tool, ["demo", "warn", "--csv"])
    #expect(
      result
        == RunResult(
          status: .done, stdout: "value\n",
          stderr: "fmtbench: warning: tensor skipped (3 times); seed ignored\n"))
  }

  @Test("An error of another module that describes itself becomes an input error")
  func bridge() throws {
    struct FileError: Error, CustomStringConvertible { let description: String }
    let error = FileError(description: "x.npy: empty file")
    #expect(throws: CommandError.input("x.npy: empty file")) {
      try CommandError.bridgingFileFailures { () throws(FileError) -> Int in throw error }
    }
    #expect(try CommandError.bridgingFileFailures { () throws(FileError) -> Int in 3 } == 3)
  }
}
