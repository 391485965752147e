import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import TensorFiles

/// Chooses a format for each tensor under a budget of bits.
enum PlanCommand: Command {
  static let input = Argument.required("SRC", .path, help: "a checkpoint: a file or a folder")
  static let bits = Option.required(
    "bits", .number(in: 0.5...64), help: "the budget: stored bits a weight, scales included")
  static let formats = Option.list(
    "formats", .format, default: "mxfp4,nvfp4,mxfp6_e2m3,mxfp8_e4m3",
    help: "the formats to choose from")
  static let weights = Option.optional(
    "weights", .path, help: "a file that says what errors of tensors cost")
  static let output = Option.optional(
    "output", .path, help: "the plan to write; standard output by default")

  static let declaration = CommandDeclaration(
    name: "plan", abstract: "Chooses a format for each tensor under a budget of bits",
    output: .text, arguments: [input],
    options: [bits, formats, weights, output, CheckpointOptions.threads],
    examples: [
      .init(
        line: "plan model --bits 4.75 --output plan.json",
        purpose: "then quantize model --plan plan.json"),
      .init(
        line: "plan model --bits 5 --formats mxfp4,mxfp6_e2m3 --weights costs.json",
        purpose: "with costs from elsewhere"),
    ],
    discussion: [
      CheckpointOptions.paths,
      """
      The plan makes the sum of squared errors small over the weights of linear layers, and says how far \
      it may be from the least: the gap to a bound that no plan can be below. It is JSON for \
      'quantize --plan': {"version": 1, "bits_per_weight": x, "tensors": {NAME: FORMAT}}.
      """,
      """
      The file of --weights is {"version": 1, "tensors": {NAME: w}}, where w is a factor for the \
      tensor's squared error, or {FORMAT: cost} with a cost in its place for every format.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let checkpoint = try CheckpointOptions.open(arguments[input])
    if let target = arguments[output] {
      try CheckpointOptions.refuseOverwriting(
        target,
        inputs: [arguments[input]] + checkpoint.filePaths + [arguments[weights]].compactMap(\.self))
    }
    let candidates = arguments[formats]
    for (index, format) in candidates.enumerated()
    where candidates[..<index].contains(where: { $0.isSame(as: format) }) {
      throw .usage("--formats: \(format.id) comes twice")
    }
    var pace = WritingPace()
    let plan = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      let weights = try arguments[weights].map { path throws(ModelCheckpointError) in
        try TensorWeights(path: path)
      }
      return try checkpoint.budgetPlan(
        formats: candidates, bitsPerWeight: arguments[bits], weights: weights ?? TensorWeights(),
        parallelism: PolicyOptions.parallelism(arguments)
      ) { progress in
        let text = pace.text(progress)
        console.progress(text)
      }
    }
    if let target = arguments[output] {
      try CommandError.bridgingFileFailures { () throws(TensorFileError) in
        try AtomicFileWriter.write(plan.text, to: target)
      }
    } else {
      console.write(plan.text)
    }
    let size = NumberStyle.trimmed(decimals: 4).text(plan.bitsPerWeight)
    console.note(
      "\(plan.choices.count) tensors, \(size) bits a weight, \(counts(plan)); cost "
        + "\(NumberStyle.significant(6).text(plan.cost)), at most "
        + "\(NumberStyle.significant(3).text(100 * plan.gap)) % above the least")
    return .done
  }

  /// How many tensors have each format.
  private static func counts(_ plan: BudgetPlan) -> String {
    var counts: [(id: String, count: Int)] = []
    for choice in plan.choices {
      if let place = counts.firstIndex(where: { $0.id == choice.format.id }) {
        counts[place].count += 1
      } else {
        counts.append((choice.format.id, 1))
      }
    }
    return counts.map { "\($0.count) \($0.id)" }.joined(separator: ", ")
  }
}
