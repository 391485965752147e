import CommandLineTestSupport

@testable import CommandLineToolkit

/// A command with every kind of option and argument, for tests of parser and tool.
enum DemoCommand: Command {
  enum Rounding: String, CaseIterable {
    case nearestEven = "nearest-even"
    case towardZero = "toward-zero"
    case stochastic
  }

  static let name = Argument<String>.required("NAME", .text("NAME"), help: "the thing to demo")
  static let values = Argument.zeroOrMore("VALUE", .float, help: "what to show")

  static let axis = Option.optional("axis", .integer(in: -8...7), help: "the block axis")
  static let seed = Option.defaulted("seed", .integer(in: 0...Int.max), default: "0", help: "seed")
  static let gain = Option.optional("gain", .number(in: 0...1), help: "the gain")
  static let rounding = Option.defaulted(
    "rounding", .choice("rounding", of: Rounding.self), default: Rounding.nearestEven.rawValue,
    help: "the rounding")
  static let sweep = Option.list(
    "sweep", .choice("rounding", of: Rounding.self), help: "the roundings to sweep")
  static let formats = Option.list(
    "formats", .text("FORMAT"), default: "mxfp4,bdr(m=5,k1=32)", help: "the formats")
  static let label = Option.optional("label", .text("TEXT"), help: "the label")
  static let verbose = Option.flag("verbose", help: "say more")

  static let declaration = CommandDeclaration(
    name: "demo", abstract: "Shows what was parsed", output: .report,
    arguments: [name, values],
    options: [axis, seed, gain, rounding, sweep, formats, label, verbose],
    examples: [.init(line: "demo x -0.5", purpose: "a negative value")],
    discussion: ["A last paragraph."])

  /// Parses words as the tool does.
  static func parse(_ words: String...) throws(CommandError) -> ParsedArguments {
    try ArgumentParser(declaration: declaration).parse(words)
  }

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    switch arguments[name] {
    case "warn":
      for _ in 0..<3 { console.warn("tensor skipped") }
      console.warn("seed ignored")
    case "fail": throw .checkFailed("2 of 3 checks failed")
    case "broken": throw .input("a\nb.npy: truncated header")
    default: break
    }
    var report = Report(
      by: producer, command: "demo",
      context: [.init(key: "seed", value: .integer(arguments[seed]))],
      columns: [.init(key: "value", title: "Value", style: .exact)])
    for value in arguments[values] { report.append([.number(Double(value))]) }
    console.write(report, as: arguments.reportFormat)
    return .done
  }
}

extension DemoCommand {
  /// A program whose numbers depend on something of the machine.
  static let producer = ReportProducer(
    name: "fmtbench", version: "9.9",
    machine: [.init(key: "kernel_level", value: .text("portable"))])

  /// A tool with this command alone.
  static let tool = CommandLineTool(
    name: "fmtbench", version: "9.9", abstract: "Demonstrates", examples: [],
    commands: [DemoCommand.self])
}
