import BlockFormats

/// Encodes values and tells why each has its code.
enum ExplainCommand: Command {
  static let format = Argument<any BlockFormat>.required(
    "FORMAT", .format, help: "a format or a bare element, such as mxfp4 or e4m3fn")
  static let values = Argument.oneOrMore(
    "VALUE", .float, help: "the values of a vector; more than a block holds fill several blocks")

  static let scaleRule = Option.optional(
    "scale-rule", .scaleRule, help: "how scales follow from values (default: the format's)")
  static let rounding = Option.defaulted(
    "rounding", .rounding, default: RoundingRule.toNearestOrEven.id, help: "how values are rounded")
  static let tensorScale = Option.optional(
    "tensor-scale", .float,
    help: "the tensor's decode multiplier (default: from the values)")

  static let declaration = CommandDeclaration(
    name: "explain", abstract: "Encodes a few values and tells why each has its code",
    output: .report, arguments: [format, values],
    options: [scaleRule, rounding, tensorScale] + PolicyOptions.all + [PolicyOptions.seed],
    examples: [
      .init(line: "explain mxfp8_e4m3 957", purpose: "why 957 becomes 896"),
      .init(line: "explain nvfp4 0.1 -2.5 6 nan", purpose: "what a NaN does to its block"),
      .init(line: "explain mxfp4 1 2 7 --scale-rule search", purpose: "the scales a search tries"),
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let format = arguments[format]
    var policy = PolicyOptions.policy(of: format, arguments)
    policy.rounding = arguments[rounding].rule(seed: UInt64(arguments[PolicyOptions.seed]))
    if let rule = arguments[scaleRule] {
      guard format.scaleRules.contains(rule) else {
        throw .usage(
          "\(format.id) has no scale rule '\(rule.id)'",
          hint: "it has \(format.scaleRules.map(\.id).joined(separator: ", "))")
      }
      policy.scaleRule = rule
    }
    if let scale = arguments[tensorScale] {
      guard format.layout.tensorScale != .none else {
        throw .usage("\(format.id) has no tensor scale", hint: "leave out --tensor-scale")
      }
      guard scale > 0, scale.isFinite else {
        throw .usage("--tensor-scale: \(scale) is not a finite number above zero")
      }
    }
    let explanation = Explanation(
      of: arguments[values], as: format, policy: policy, decodeScale: arguments[tensorScale])
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
