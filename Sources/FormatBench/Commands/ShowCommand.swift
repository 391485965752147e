import BlockFormats
import CommandLineToolkit

/// Shows the sheet of one format.
enum ShowCommand: Command {
  static let format = Argument<any BlockFormat>.required(
    "FORMAT", .format, help: "a format or a bare element, such as mxfp4, e4m3fn or binary8p4se")

  static let declaration = CommandDeclaration(
    name: "show", abstract: "Shows a format's layout, values, rules and special cases",
    output: .report, arguments: [format],
    examples: [
      .init(line: "show nvfp4", purpose: "everything about NVFP4"),
      .init(line: "show e4m3fn --json", purpose: "the values of all codes for a program"),
    ],
    discussion: [
      """
      All of it is computed from the format's definition, the special cases and the worked block \
      by running the encoder. Numbers are exact: 3·2^-16 is three times two to the power -16.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let format = arguments[format]
    let sections = FormatSheet(format: format).sections
    switch arguments.reportFormat {
    case .table:
      console.write(
        SheetText(console.destination).text("show \(format.id)", sections))
    case .markdown:
      console.write("# \(format.id)\n\n" + SheetMarkdown.text(of: sections, level: 2))
    case .json, .csv:
      console.write(report(of: format, sections), as: arguments.reportFormat)
    }
    return .done
  }

  private static func report(of format: any BlockFormat, _ sections: [SheetSection]) -> Report {
    var report = Report(
      command: declaration.name, reproducibility: .everywhere,
      context: [
        .init(key: "format", value: .text(format.id)),
        .init(key: "source", value: .text(format.source)),
      ],
      columns: [
        .init(key: "section", title: "Section"), .init(key: "item", title: "Item"),
        .init(key: "field", title: "Field"), .init(key: "value", title: "Value"),
      ])
    for fact in sections.flatMap(\.facts) {
      report.append([.text(fact.section), .text(fact.item), .text(fact.field), fact.value])
    }
    return report
  }
}
