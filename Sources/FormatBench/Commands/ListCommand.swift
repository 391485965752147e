import BlockFormats

/// Lists every format of the catalog.
enum ListCommand: Command {
  static let declaration = CommandDeclaration(
    name: "list", abstract: "Lists every format with its parts, size and source",
    output: .report,
    examples: [.init(line: "list", purpose: "all formats")],
    discussion: [
      """
      Formats with a parenthesis take parameters, such as mxfp4(block=16) or \
      bdr(m=5,k1=32,k2=4,d1=8,d2=2); a parameter without = must be given.
      """,
      """
      Kernels tells where vector instructions do the work: under all scale rules, roundings and \
      overflow rules of the format, under none, or under all but those named. Elsewhere the \
      reference in Swift runs, which stores the same bytes.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    var report = Report(
      command: declaration.name,
      columns: [
        .init(key: "id", title: "Format"),
        .init(key: "element", title: "Element", role: .setting),
        .init(key: "block", title: "Block", role: .setting),
        .init(key: "scale", title: "Scale", role: .setting),
        .init(
          key: "bits_per_element", title: "Bits per element", style: .trimmed(decimals: 4)),
        .init(key: "largest_element", title: "Largest element", style: .general),
        .init(key: "kernels", title: "Kernels", role: .setting),
        .init(key: "source", title: "Source", role: .setting),
      ],
      notes: [parametrised])
    for format in FormatCatalog.all { report.append(row(of: format)) }
    console.write(report, as: arguments.reportFormat)
    return .done
  }

  private static func row(of format: any BlockFormat) -> [Cell] {
    let layout = format.layout
    return [
      .text(format.id), .text(layout.element.name),
      .text(layout.scale == nil ? "-" : layout.block.id), .text(scaleText(layout)),
      .number(layout.nominalBitsPerElement), .number(layout.element.greatestFiniteMagnitude),
      .text(KernelCoverage(of: format).text), .text(format.source),
    ]
  }

  /// The scales of a format in one text, such as `e4m3fn + fp32 tensor`.
  static func scaleText(_ layout: BlockLayout) -> String {
    guard let scale = layout.scale else { return "-" }
    var text = scale.name
    if let subscale = layout.subscale {
      text += " + \(subscale.bitWidth)-bit shift per \(subscale.length)"
    }
    if layout.tensorScale != .absent { text += " + fp32 tensor" }
    return text
  }

  private static var parametrised: String {
    let families = FormatCatalog.families.filter { !$0.parameters.isEmpty }
    return "With parameters: "
      + families.map { "\($0.name)(\($0.parameters.map(\.description).joined(separator: ",")))" }
      .joined(separator: " ")
      + "; bare P3109 elements: binary{K}p{P}{s|u}{e|f}."
  }
}
