import BlockFormats
import CommandLineTestSupport
import Testing

@testable import CommandLineToolkit
@testable import FormatBench

@Suite("The tool from the command line")
struct ToolTests {
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

  @Test("Every help fits 80 columns, and every default is a value its option accepts")
  func declarations() throws {
    var texts = [HelpText.text(of: Fmtbench.tool)]
    for declaration in Fmtbench.tool.declarations {
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
      tool: "fmtbench", output: output, messages: CaptureSink(),
      environment: TerminalEnvironment([:]),
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
}
