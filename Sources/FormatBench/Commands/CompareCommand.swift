import BlockFormats
import CommandLineToolkit
import FormatMetrics

/// Compares formats by the error they make on real tensors or on samples of distributions.
enum CompareCommand: Command {
  static let files = Argument.zeroOrMore(
    "FILE", .path,
    help: """
      safetensors files (F64, F32, F16, BF16) or npy files (float64, float32, float16), - for \
      standard input; built-in samples without one
      """)
  static let formats = Option.list(
    "formats", .formatOrAll,
    help: "the formats to compare, all for those of the catalog; the standard set by default")
  static let scaleRules = Option.list(
    "scale-rule", .scaleRule, help: "rules to sweep; each format's own default without it")
  static let roundings = Option.list(
    "rounding", .rounding, help: "roundings to sweep; each format's own by default")
  static let tensor = Option.optional(
    "tensor", .namePattern,
    help: "only tensors in whose name the expression (in ICU's syntax) matches")
  static let distributions = Option.list(
    "distribution", .distribution, help: "which built-in samples; all of them by default")
  static let vectors = Option.defaulted(
    "vectors", .integer(in: 0...10_000_000), default: "10000", help: "vectors of a sample")
  static let length = Option.defaulted(
    "length", .integer(in: 1...1_000_000), default: "256", help: "elements of a vector")
  static let rows = Option.optional(
    "rows", .choice("rows", of: RowChoice.self),
    help: "a row with every measure for each tensor and in total, or for the total alone")
  static let columns = Option.list(
    "columns", .column(of: ComparisonReport.measures), help: "only these measures, as rows")

  /// Which rows are reported.
  enum RowChoice: String, CaseIterable {
    case all
    case total
  }

  static let declaration = CommandDeclaration(
    name: ComparisonReport.command, abstract: "Compares formats by the error they make on tensors",
    output: .report, arguments: [files],
    options: [
      formats, scaleRules, roundings, tensor, PolicyOptions.axis, rows, columns, distributions,
      vectors,
      length, PolicyOptions.seed, PolicyOptions.threads,
    ] + PolicyOptions.all,
    rules: [
      .needs(tensor, files), .excludes(distributions, files), .excludes(vectors, files),
      .excludes(length, files),
    ],
    examples: [
      .init(line: "compare", purpose: "the standard set on built-in samples"),
      .init(line: "compare model.safetensors", purpose: "totals over a checkpoint"),
      .init(
        line: "compare a.npy --formats mxfp4,mxfp8_e4m3 --scale-rule floor,rceil",
        purpose: "a sweep of scale rules"),
      .init(line: "compare --formats all --distribution normal", purpose: "the whole catalog"),
      .init(
        line: "compare --formats 'mxfp4(block=16)',nvfp4 --columns mse,gain",
        purpose: "two formats by measures of your choice"),
    ],
    discussion: [
      """
      The table has a row for each format, sorted by stored bits and then by QSNR, and a column \
      for each tensor or, where they are too many, the total, the median and the least. --rows, \
      --columns, --json, --csv and --markdown tell every measure.
      """,
      """
      QSNR is 10 log10 of the sum of squares over the sum of squared errors. Gain is the \
      least-squares slope of the result against the input. Underflow counts values other than 0 \
      that became 0, saturation values clipped after rounding, exact the blocks without error. \
      Totals pool sums and counts over tensors. A tensor with NaN or infinity makes the rows total \
      NaN; rows total_finite then pool the other tensors.
      """,
      """
      Blocks end with the axis that they run along: where their length does not divide it, the last \
      one is shorter, nothing is padded, and a line below the table says for which formats. Files of \
      some producers have no such blocks.
      """,
      """
      Float64 is rounded once to FP32, to nearest. Tensors that are quantized already are skipped \
      together with their scales, and counted.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    try PolicyOptions.checkSeed(
      arguments,
      isUsed: arguments[files].isEmpty || arguments[roundings].contains(where: \.isRandom))
    let input = try input(arguments)
    warn(about: input, console)
    let seed = UInt64(arguments[PolicyOptions.seed])
    let choices = arguments[formats]
    let (candidates, withoutRule) = Comparison.candidates(
      formats: choices.isEmpty ? FormatCatalog.standard : choices.formats,
      scaleRules: arguments[scaleRules], roundings: arguments[roundings], seed: seed,
      policy: { PolicyOptions.policy(of: $0, arguments) })
    try PolicyOptions.checkUse(arguments, by: candidates.map(\.format))
    if !withoutRule.isEmpty && !choices.isEmpty && !choices.namesAll {
      console.warn(
        "no scale rule asked for applies to \(withoutRule.joined(separator: ", ")): own rule used")
    }

    var comparison = Comparison(
      candidates: candidates, axis: arguments[PolicyOptions.axis],
      parallelism: PolicyOptions.parallelism(arguments))
    var tensors: [ComparisonTable.Measured] = []
    for (index, item) in input.items.enumerated() {
      console.progress("\(index + 1)/\(input.items.count) \(item.name)")
      let outcomes = try comparison.measure(item)
      tensors.append(.init(name: item.name, outcomes: outcomes))
    }
    let choice = rowChoice(arguments)
    let report =
      switch choice {
      case let choice?: rows(choice, of: comparison, tensors, seed: seed, arguments)
      case nil:
        ComparisonTable(
          comparison: comparison, tensors: tensors,
          choices: ComparisonReport.allChoices(comparison, seed: seed)
        ).report(for: console.destination)
      }
    warn(aboutValuesOf: comparison, choice, console)
    console.write(report, as: arguments.reportFormat)
    return .done
  }

  /// The rows asked for; nil for the table that is made for people.
  private static func rowChoice(_ arguments: ParsedArguments) -> RowChoice? {
    if let choice = arguments[rows] { return choice }
    if arguments.reportFormat != .table { return .all }
    return arguments[columns].isEmpty ? nil : .total
  }

  private static func rows(
    _ choice: RowChoice, of comparison: Comparison, _ tensors: [ComparisonTable.Measured],
    seed: UInt64, _ arguments: ParsedArguments
  ) -> Report {
    var report = ComparisonReport.empty(
      comparison, seed: seed, tensorCount: tensors.count, showsAll: choice == .all)
    for tensor in choice == .all ? tensors : [] {
      for (candidate, outcome) in zip(comparison.candidates, tensor.outcomes) {
        report.append(ComparisonReport.row(tensor.name, candidate, outcome))
      }
    }
    for row in ComparisonReport.totals(of: comparison) { report.append(row) }
    let columns = arguments[columns]
    return columns.isEmpty ? report : report.selecting(ComparisonReport.identity + columns)
  }

  private static func input(_ arguments: ParsedArguments) throws(CommandError) -> ComparisonInput {
    let files = arguments[files]
    let distributions = arguments[distributions]
    guard !files.isEmpty else {
      guard (-2..<2).contains(arguments[PolicyOptions.axis]) else {
        throw .usage("--axis: samples have axes -2 to 1, not \(arguments[PolicyOptions.axis])")
      }
      let (count, limit) = (arguments[vectors] * arguments[length], 1 << 30)
      guard count <= limit else {
        throw .usage("--vectors and --length: \(count) elements of a sample exceed \(limit)")
      }
      return ComparisonInput(
        distributions: distributions.isEmpty ? Distribution.allNamed : distributions,
        vectors: arguments[vectors], length: arguments[length],
        seed: UInt64(arguments[PolicyOptions.seed]))
    }
    let pattern = arguments[tensor]
    var work = 0
    return try ComparisonInput(files: files, axis: arguments[PolicyOptions.axis]) {
      (name) throws(CommandError) in
      try pattern?.matches(name, work: &work) ?? true
    }
  }

  private static func warn(about input: ComparisonInput, _ console: Console) {
    if let line = input.skipped.line { console.warn(line) }
    for tensors in input.requantized {
      console.warn(
        "\(tensors.count) tensor\(tensors.count == 1 ? " was" : "s were") quantized already "
          + "(\(tensors.format), \(tensors.dialect)); errors are counted from the decoded values")
    }
    let count = input.roundedCount
    if count > 0 { console.warn(aboutRoundingOf: "\(count) tensor\(count == 1 ? "" : "s")") }
  }

  /// Warns of values that are not finite.
  ///
  /// - Parameter choice: the rows reported, which decides where the other tensors are pooled.
  private static func warn(
    aboutValuesOf comparison: Comparison, _ choice: RowChoice?, _ console: Console
  ) {
    guard let first = comparison.firstNonFinite else { return }
    let finite =
      choice == nil ? "Total leaves" : "rows \(ComparisonReport.finiteTotal) leave"
    let (bad, good) = (comparison.nonFiniteTensorCount, comparison.finiteTensorCount)
    console.warn(
      "\(bad) of \(bad + good) tensors \(bad == 1 ? "holds" : "hold") NaN or infinity: \(first)"
        + (good == 0 ? "" : "; \(finite) out such tensors"))
  }
}

extension ValueKind<Distribution> {
  /// A built-in distribution by its id.
  static let distribution = ValueKind(
    placeholder: "NAME", accepted: "a distribution", choices: Distribution.allNamed.map(\.id)
  ) { (text) throws(ValueFailure) in
    guard let distribution = Distribution(id: text) else {
      throw .unknown("distribution", text, known: Distribution.allNamed.map(\.id))
    }
    return distribution
  }
}
