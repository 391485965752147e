import BlockFormats
import CommandLineToolkit

/// Lists the formats of the catalog.
enum ListCommand: Command {
  static let patterns = Argument.zeroOrMore(
    "PATTERN", .text("PATTERN"),
    help: """
      only formats with this in their id, element or source, or whose id matches it with * and ?; \
      all of them without one
      """)
  static let columns = Option.list(
    "columns", .column(of: allColumns.dropFirst().map(\.key)),
    help: "what to tell of each; by default what fits a page, and all in other forms than the table"
  )

  static let declaration = CommandDeclaration(
    name: "list", abstract: "Lists formats with their parts, size and source",
    output: .report, arguments: [patterns],
    options: [columns, producers], rules: [.excludes(producers, columns)],
    examples: [
      .init(line: "list", purpose: "all formats"),
      .init(line: "list nvfp4", purpose: "NVFP4 and its variants"),
      .init(line: "list 'fp8*tensor' int8", purpose: "by id with a wildcard, and integers"),
      .init(line: "list --columns source,kernels", purpose: "who defines them, how fast they are"),
      .init(line: "list --producers mxfp4", purpose: "how producers' MXFP4 differ"),
    ],
    discussion: [
      """
      Formats with a parenthesis take parameters, such as 'mxfp4(block=16)' or \
      'bdr(m=5,k1=32,k2=4,d1=8,d2=2)', quoted, since shells take parentheses for their own; a \
      parameter without = must be given.
      """,
      """
      Kernels tells where vector instructions do the work: under all scale rules, roundings and \
      overflow rules of the format, under none, or under all but those named. Elsewhere, and under \
      signs of zeros but kept and positive, orders of scale arithmetic but multiply, and the floor \
      eighth_for_zero, the reference in Swift runs, which stores the same bytes.
      """,
    ])

  private static let allColumns: [Column] = [
    .init(key: "id", title: "Format"),
    .init(key: "element", title: "Element", role: .setting),
    .init(key: "block", title: "Block", role: .setting),
    .init(key: "scale", title: "Scale", role: .setting),
    .init(key: "bits_per_element", title: "Bits per element", style: .trimmed(decimals: 4)),
    .init(key: "largest_element", title: "Largest element", style: .general),
    .init(key: "kernels", title: "Kernels", role: .setting),
    .init(key: "source", title: "Source", role: .setting),
  ]
  /// What a page has room for.
  private static let pageColumns = ["element", "block", "scale", "bits_per_element"]

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let patterns = arguments[patterns].map(WildcardPattern.init)
    if arguments[producers] {
      try listProducers(patterns, arguments, console)
      return .done
    }
    let formats = FormatCatalog.all.filter { format in
      patterns.isEmpty
        || patterns.contains { pattern in
          pattern.matches(id: format.id)
            || pattern.isPart(of: format.layout.element.name) || pattern.isPart(of: format.source)
        }
    }
    let families = FormatCatalog.families.filter { family in
      !family.parameters.isEmpty
        && (patterns.isEmpty || patterns.contains { $0.matches(id: family.name) })
    }
    guard !formats.isEmpty || !families.isEmpty else {
      let names = FormatCatalog.all.map(\.id) + FormatCatalog.families.map(\.name)
      let given = arguments[Self.patterns]
      throw .usage(
        "no format matches '\(given.joined(separator: "', '"))'"
          + Suggestion.question(for: given[0], in: names),
        hint: "see 'fmtbench list' for all formats")
    }
    var report = Report(
      command: declaration.name, reproducibility: .everywhere, columns: allColumns,
      notes: notes(formats, families, isWhole: patterns.isEmpty))
    for format in formats { report.append(row(of: format)) }
    var columns = arguments[columns]
    if columns.isEmpty && arguments.reportFormat == .table { columns = pageColumns }
    if !columns.isEmpty { report = report.selecting(["id"] + columns) }
    console.write(report, as: arguments.reportFormat)
    return .done
  }

  private static func row(of format: any BlockFormat) -> [Cell] {
    let layout = format.layout
    return [
      .text(format.id), .text(layout.element.name),
      .text(layout.fields.count == 1 ? "-" : layout.block.id), .text(layout.scaleText),
      .number(layout.nominalBitsPerElement), .number(layout.element.greatestFiniteMagnitude),
      .text(KernelCoverage(of: format).text), .text(format.source),
    ]
  }

  private static func notes(
    _ formats: [any BlockFormat], _ families: [FormatFamily], isWhole: Bool
  ) -> [String] {
    var notes = [
      "'fmtbench show FORMAT' tells all of one; --columns source,kernels,largest_element more of each."
    ]
    var parametrised = families.map {
      "\($0.name)(\($0.parameters.map(\.description).joined(separator: ",")))"
    }
    if isWhole { parametrised.append("and bare P3109 elements binary{K}p{P}{s|u}{e|f}") }
    if !parametrised.isEmpty {
      notes.append("With parameters: " + parametrised.joined(separator: " "))
    }
    return notes
  }
}
