import BlockFormats
import CommandLineToolkit

/// Measures how fast formats encode, decode and fake-quantize, beside the speed of memory.
enum SpeedCommand: Command {
  static let formats = Option.list(
    "formats", .format, help: "the formats to measure; the standard set by default")
  static let directions = Option.list(
    "direction", .choice("direction", of: SpeedDirection.self),
    help: "what to measure, instead of everything")
  static let placements = Option.list(
    "placement", .choice("placement", of: SpeedPlacement.self),
    help: "where tensors lie, instead of both")
  static let roundings = Option.list(
    "rounding", .rounding, help: "roundings to measure instead of nearest_even")
  static let axes = Option.list(
    "axis", .integer(in: -2...1),
    help: "axes that blocks run along, 0 for columns, instead of -1")
  static let levels = Option.list(
    "level", .kernelSelection, help: "kernel levels to measure instead of the machine's highest")
  static let inputs = Option.list(
    "input", .choice("number type", of: ScalarType.self),
    help: "number types of the floats on either side, instead of fp32")

  static let declaration = CommandDeclaration(
    name: SpeedReport.command, abstract: "Measures rates beside the speed of memory",
    output: .report,
    options: [
      formats, directions, placements, TimingOptions.threads, roundings, axes, levels, inputs,
      TimingOptions.repeats, PolicyOptions.seed,
    ],
    examples: [
      .init(line: "speed --formats mxfp4,nvfp4", purpose: "two formats in cache and memory"),
      .init(
        line: "speed --formats mxfp4 --rounding nearest_even,stochastic",
        purpose: "the price of random bits"),
    ],
    discussion: [
      """
      The limit ratio is the rate as a share of that of a loop that only reads and writes as many \
      bytes, measured in turn with it at the same placement: in the second-level cache (l2), half \
      of which the tensors of a thread take, or in memory (dram), with tensors of several times \
      the largest cache. Options that vary the measured call add a column of their name.
      """,
      formatQuoting,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    guard
      arguments[roundings].isEmpty || Set(arguments[directions]) != [.decode]
    else { throw .usage("--rounding: decoding rounds nothing") }
    try TimingOptions.requireOptimised(BuildFacts.configuration, declaration.name)
    let machine = MachineFacts.current
    if machine.l2ByteCount == nil || machine.lastLevelByteCount == nil {
      console.warn("the system hides the size of a cache: l2_bytes or llc_bytes is assumed")
    }
    let plan = plan(arguments)
    let run = SpeedRun(
      plan: plan, sizes: PlacementSizes(machine),
      clock: RepeatClock(repeats: arguments[TimingOptions.repeats]))
    let rows = run.rows { number, subject in
      console.progress("\(number)/\(plan.rowCount) \(subject)")
    }
    console.write(SpeedReport.report(rows, run, machine: machine), as: arguments.reportFormat)
    return .done
  }

  /// What a command line asks for: the product of its lists.
  static func plan(_ arguments: ParsedArguments) -> SpeedPlan {
    let given: [(SpeedVariantKey, Bool)] = [
      (.rounding, !arguments[roundings].isEmpty), (.axis, !arguments[axes].isEmpty),
      (.level, !arguments[levels].isEmpty), (.input, !arguments[inputs].isEmpty),
    ]
    var variants = [SpeedVariant()]
    func vary<Value>(_ values: [Value], _ path: WritableKeyPath<SpeedVariant, Value>) {
      guard !values.isEmpty else { return }
      variants = variants.flatMap { variant in
        values.map {
          var variant = variant
          variant[keyPath: path] = $0
          return variant
        }
      }
    }
    vary(arguments[roundings], \.rounding)
    vary(arguments[axes], \.axis)
    vary(arguments[levels], \.kernels)
    vary(arguments[inputs], \.input)

    let formats = arguments[formats]
    var plan = SpeedPlan(
      formats: formats.isEmpty ? FormatCatalog.standard : formats, variants: variants,
      variantKeys: given.filter(\.1).map(\.0),
      threadCounts: TimingOptions.threadCounts(arguments),
      seed: UInt64(arguments[PolicyOptions.seed]))
    if !arguments[directions].isEmpty { plan.directions = arguments[directions] }
    if !arguments[placements].isEmpty { plan.placements = arguments[placements] }
    return plan
  }
}
