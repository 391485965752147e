import BlockFormats
import CommandLineToolkit

/// Encodes values and tells why each has its code.
enum ExplainCommand: Command {
  static let format = Argument<any BlockFormat>.required(
    "FORMAT", .format, help: "a format or a bare element, such as mxfp4 or e4m3fn")
  static let values = Argument.oneOrMore(
    "VALUE", .float, help: "the values of a vector; more than a block holds fill several blocks")

  static let declaration = CommandDeclaration(
    name: Explanation.command, abstract: "Encodes a few values and tells why each has its code",
    output: .report, arguments: [format, values],
    options: EncodingOptions.all,
    examples: [
      .init(line: "explain mxfp8_e4m3 957", purpose: "why 957 becomes 896"),
      .init(line: "explain nvfp4 0.1 -2.5 6 nan", purpose: "what a NaN does to its block"),
      .init(line: "explain mxfp4 1 2 7 --scale-rule search", purpose: "the scales a search tries"),
    ],
    discussion: [formatQuoting])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let format = arguments[format]
    let policy = try EncodingOptions.policy(of: format, arguments)
    let tensorScale = try EncodingOptions.tensorScale(of: format, arguments)
    let explanation = Explanation(
      of: arguments[values], as: format, policy: policy, decodeScale: tensorScale)
    switch arguments.reportFormat {
    case .table:
      console.write(
        SheetText(console.destination).text("explain \(format.id)", explanation.sections))
    case .markdown:
      console.write(
        "# \(format.id)\n\n" + SheetMarkdown.text(of: explanation.sections, level: 2))
    case .json, .csv: console.write(explanation.report, as: arguments.reportFormat)
    }
    return .done
  }
}
