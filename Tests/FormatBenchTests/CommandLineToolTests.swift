import BlockFormats
import Testing

@testable import FormatBench

@Suite("The tool from the command line")
struct CommandLineToolTests {
  @Test("Without words, with --help or with help, the tool's help goes to standard output")
  func toolHelp() {
    let help = RunResult(status: .done, stdout: HelpText.text(of: Fmtbench.tool), stderr: "")
    for words in [[], ["--help"], ["-h"], ["help"]] { #expect(runFmtbench(words) == help) }
    for declaration in Fmtbench.tool.declarations {
      #expect(help.stdout.contains("\n  \(declaration.name) "))
    }
  }

  @Test("The three ways to ask for a command's help agree, whatever else the line says")
  func commandHelp() {
    for declaration in Fmtbench.tool.declarations {
      let name = declaration.name
      let help = HelpText.text(of: declaration, tool: "fmtbench")
      let expected = RunResult(status: .done, stdout: help, stderr: "")
      #expect(runFmtbench(["help", name]) == expected)
      #expect(runFmtbench([name, "--help"]) == expected)
      #expect(runFmtbench([name, "--no-such-option", "-h"]) == expected)
    }
  }

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
          --tensor REGEX          the tensors
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

  @Test("Every help fits 80 columns, and every default is a value its option accepts")
  func declarations() throws {
    var texts = [HelpText.text(of: Fmtbench.tool)]
    for declaration in Fmtbench.tool.declarations + [DemoCommand.declaration] {
      texts.append(HelpText.text(of: declaration, tool: "fmtbench"))
      for option in declaration.options where option.specification.absence != .refused {
        _ = try option.interpret([])
      }
      var helps = [declaration.abstract]
      helps += declaration.options.map(\.specification.help)
      helps += declaration.arguments.map(\.specification.help)
      for help in helps { #expect(!help.isEmpty && !help.hasSuffix("."), "\(help)") }
    }
    for line in texts.flatMap({ $0.split(separator: "\n") }) {
      #expect(TextLayout.width(line) <= 80, "\(line)")
    }
  }

  @Test("Every command that takes a format says that ids with parentheses are quoted")
  func quoting() {
    for declaration in Fmtbench.tool.declarations {
      let takesFormat =
        declaration.options.contains {
          $0.specification.placeholder.hasPrefix("FORMAT") || $0.specification.name == "formats"
        }
        || declaration.arguments.contains { $0.specification.name == "FORMAT" }
      #expect(
        takesFormat == declaration.discussion.contains(formatQuoting), "\(declaration.name)")
      // An example that does not do so would not run.
      for example in declaration.examples where example.line.contains("(") {
        #expect(example.line.contains("'"), "\(example.line)")
      }
    }
  }

  @Test("Every command can be told to be quiet, in either spelling")
  func quiet() {
    for declaration in Fmtbench.tool.declarations where declaration.name != "help" {
      let help = runFmtbench([declaration.name, "--help"]).stdout
      #expect(help.contains("\n  -q, --quiet "), "\(declaration.name)")
    }
  }

  @Test("The version is one line")
  func version() {
    #expect(
      runFmtbench(["--version"])
        == RunResult(status: .done, stdout: "fmtbench \(Fmtbench.version)\n", stderr: ""))
    #expect(runFmtbench(["version", "--csv"]).stdout.hasPrefix("component,value\nfmtbench,"))
  }

  @Test("The version command tells commit, compiler, processor and kernels")
  func versionFacts() {
    let output = CaptureSink()
    let console = Console(
      output: output, messages: CaptureSink(), environment: TerminalEnvironment([:]),
      build: BuildStamp(commit: "0123abc with changes", compiler: "Swift version 6.2"))
    #expect(Fmtbench.tool.run(["version", "--csv"], console) == .done)
    let levels = KernelLevel.supported.map(\.id).joined(separator: " ")
    for line in [
      "commit,0123abc with changes", "compiler,Swift version 6.2",
      "processor,\(MachineFacts.current.processor ?? "unknown")",
      "kernels,\(KernelLevel.best.id)", "kernels of the machine,\(levels)",
    ] {
      #expect("\n\(output.text)".contains("\n\(line)\n"), "\(line)")
    }
    // This process was told nothing.
    #expect(runFmtbench(["version", "--csv"]).stdout.contains("\ncommit,unknown\n"))
  }

  @Test("An unknown command is a usage error that suggests the nearest")
  func unknownCommand() {
    for words in [["versoin"], ["help", "versoin"]] {
      #expect(
        runFmtbench(words)
          == RunResult(
            status: .usage, stdout: "",
            stderr: """
              fmtbench: error: unknown command 'versoin'; did you mean 'version'?
              see 'fmtbench --help'

              """))
    }
  }

  @Test("An option before the command says where options belong")
  func optionBeforeCommand() {
    #expect(
      runFmtbench(["--json", "version"])
        == RunResult(
          status: .usage, stdout: "",
          stderr: """
            fmtbench: error: unknown option '--json'
            the options of a command follow its name: fmtbench COMMAND --json

            """))
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
