import BlockFormats
import CommandLineToolkit
import QuantizedLinearAlgebra

/// Measures how fast and how exactly matrices of block formats multiply, beside the speed of the
/// processor's arithmetic.
enum GemmCommand: Command {
  static let shapes = Option.list(
    "shapes", .gemmShape, default: "1024x1024x1024, 1x4096x4096",
    help: "rows of A, rows of B and the length of both: Y is M x N")
  static let formats = Option.list(
    "formats", .gemmPair,
    default: """
      fp32, bf16, mxfp4, mxint8, mxfp6_e2m3, mxfp6_e3m2, mxfp8_e4m3, mxfp8_e4m3:mxfp4, nvfp4, mx9, \
      mx6, msfp12, fp8_e4m3_tensor, int8_row
      """, help: "formats of A and B, or one for both; fp32 leaves an operand as it is")
  static let accumulators = Option.list(
    "accumulator", .accumulator,
    help: "how products are summed, instead of fp32 alone; adds the errors of the sums")
  static let levels = Option.list(
    "level", .kernelLevel, help: "kernel levels to measure instead of the machine's highest")

  static let declaration = CommandDeclaration(
    name: GemmReport.command, abstract: "Measures products of quantized matrices",
    output: .report,
    options: [
      shapes, formats, accumulators, TimingOptions.threads, levels, TimingOptions.repeats,
      PolicyOptions.seed,
    ],
    examples: [
      .init(
        line: "gemm --formats mxfp4,mxfp8_e4m3:mxfp4 --threads 1",
        purpose: "4-bit weights under 4-bit and 8-bit activations"),
      .init(
        line: "gemm --formats fp32,fp32:mxfp4 --shapes 1x4096x4096",
        purpose: "a vector times full and 4-bit weights"),
      .init(
        line: "gemm --formats fp8_e4m3_tensor --accumulator fp32,hopper_fp8_like",
        purpose: "what a tensor core's sums cost"),
    ],
    discussion: [
      """
      Y = A · Bᵀ of standard normal numbers. A call quantizes and packs A, which lies in memory as \
      FP32 numbers, and multiplies; B is prepared beforehand. The peak ratio is the rate as a share \
      of that of a loop in registers that does what these formats ask of the level for each group, \
      and nothing else: products and sums of elements by the instructions named, one product of \
      scales and one fused multiply-add. With few rows, bytes of B are told too, beside a loop that \
      only reads as many.
      """,
      formatQuoting,
      """
      Errors are those of Y against the FP64 product of the FP32 operands. Other accumulators than \
      fp32 are models with parameters such as bdr(f=25,length=128) and \
      tensor_core(group=32,f=13,rounding=truncate,promote=128), which is hopper_fp8_like: their rows \
      have errors and no speed. With --accumulator, rows also tell the error against the exact product of the \
      quantized operands.
      """,
    ])

  static func run(
    _ arguments: ParsedArguments, _ console: Console
  ) throws(CommandError) -> ExitStatus {
    let plan = plan(arguments)
    try plan.check()
    try checkUse(arguments)
    try TimingOptions.requireOptimised(BuildFacts.configuration, declaration.name)
    let run = GemmRun(plan: plan, clock: RepeatClock(repeats: arguments[TimingOptions.repeats]))
    let rows = try run.rows { number, subject in
      console.progress("\(number)/\(plan.rowCount) \(subject)")
    }
    console.write(GemmReport.report(rows, run, machine: .current), as: arguments.reportFormat)
    return .done
  }

  /// Refuses options of kernels where none is measured.
  private static func checkUse(_ arguments: ParsedArguments) throws(CommandError) {
    let accumulators = arguments[accumulators]
    guard !accumulators.isEmpty, !accumulators.contains(.float32) else { return }
    let options: [any OptionDeclaration] = [
      levels, TimingOptions.threads, TimingOptions.repeats,
    ]
    for option in options where arguments.isGiven(option) {
      throw .usage(
        "\(option.specification.spelling) needs the accumulator fp32, which kernels have")
    }
  }

  /// What a command line asks for: the product of its lists.
  static func plan(_ arguments: ParsedArguments) -> GemmPlan {
    let (levels, accumulators) = (arguments[levels], arguments[accumulators])
    return GemmPlan(
      shapes: arguments[shapes], pairs: arguments[formats],
      levels: levels.isEmpty ? [.best] : levels, showsLevel: !levels.isEmpty,
      threadCounts: TimingOptions.threadCounts(arguments),
      accumulators: accumulators.isEmpty ? [.float32] : accumulators,
      showsProductErrors: !accumulators.isEmpty,
      seed: UInt64(arguments[PolicyOptions.seed]))
  }
}

extension ValueKind<GemmShape> {
  /// Three extents, such as `1024x1024x1024`.
  static let gemmShape = ValueKind(
    placeholder: "MxNxK", accepted: "three integers from 1 up, as in 1024x1024x1024"
  ) { (text) throws(ValueFailure) in
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    let extents = parts.compactMap { $0 }.filter { $0 >= 1 }
    guard extents.count == 3, parts.count == 3 else { throw .notAccepted }
    let shape = GemmShape(rows: extents[0], columns: extents[1], depth: extents[2])
    for (name, rows, columns) in [
      ("A", shape.rows, shape.depth), ("B", shape.columns, shape.depth),
      ("Y", shape.rows, shape.columns),
    ] {
      let (count, overflows) = rows.multipliedReportingOverflow(by: columns)
      guard !overflows, count <= GemmShape.elementLimit else {
        throw .explained(
          "'\(text)': \(name) of \(rows)x\(columns) exceeds \(GemmShape.elementLimit) elements")
      }
    }
    return shape
  }
}

extension ValueKind<GemmPair> {
  /// Formats of both operands, `A:B`, or one for both.
  static let gemmPair = ValueKind(placeholder: "A[:B]", accepted: "a format or two, as in A:B") {
    (text) throws(ValueFailure) in
    let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(names.count), !names.contains("") else { throw .notAccepted }
    let formats = try names.map { (name) throws(ValueFailure) in try operand(name) }
    return GemmPair(a: formats[0], b: formats[names.count - 1])
  }

  private static func operand(_ name: String) throws(ValueFailure) -> OperandFormat {
    name == OperandFormat.float32.id
      ? .float32 : .quantized(try ValueKind<any BlockFormat>.format.parse(name))
  }
}

extension ValueKind<Accumulator> {
  /// A model of summation by its id.
  static let accumulator = ValueKind(
    placeholder: "MODEL", accepted: "an accumulator", choices: names
  ) { (text) throws(ValueFailure) in
    guard let accumulator = Accumulator(id: text) else {
      throw .unknown("accumulator", text, known: names)
    }
    return accumulator
  }

  /// The models with default parameters, each by its shortest name.
  private static let names = Accumulator.standard.map {
    $0 == .tensorCore(.hopperFP8Like) ? "hopper_fp8_like" : $0.id
  }
}
