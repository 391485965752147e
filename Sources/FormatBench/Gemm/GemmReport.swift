import BlockFormats
import CommandLineToolkit
import FormatMetrics
import QuantizedLinearAlgebra

/// The columns, facts and rows of measured products.
enum GemmReport {
  /// The name of the command that writes it.
  static let command = "gemm"

  /// The report of a run.
  static func report(_ rows: [GemmRun.Row], _ run: GemmRun, machine: MachineFacts) -> Report {
    var report = Report(
      command: command, context: facts(run, machine),
      columns: columns(run.plan), notes: notes(run.plan))
    for row in rows { report.append(cells(row, run.plan)) }
    return report
  }

  private static func columns(_ plan: GemmPlan) -> [Column] {
    [
      .init(key: "a", title: "A"),
      .init(key: "b", title: "B"),
      .init(key: "m", title: "M", style: .general, role: .setting),
      .init(key: "n", title: "N", style: .general, role: .setting),
      .init(key: "k", title: "K", style: .general, role: .setting),
    ]
      + (plan.showsLevel ? [Column(key: "level", title: "Level", role: .setting)] : []) + [
        .init(key: "threads", title: "Threads", style: .general, role: .setting),
        .init(key: "accumulator", title: "Accumulator", role: .setting),
        .init(key: "unit", title: "Unit"),
        .init(key: "gops", title: "G op/s", style: .significant(4)),
        .init(key: "spread", title: "Spread", style: .fixed(decimals: 3)),
        .init(key: "peak_by", title: "Peak by"),
        .init(key: "peak_gops", title: "Peak G op/s", style: .significant(4)),
        .init(key: "peak_spread", title: "Peak spread", style: .fixed(decimals: 3)),
        .init(key: "peak_ratio", title: "Peak ratio", style: .fixed(decimals: 3)),
        .init(key: "gbytes_per_s", title: "GB/s", style: .significant(3)),
        .init(key: "limit_gbytes_per_s", title: "Limit GB/s", style: .significant(3)),
        .init(key: "read_ratio", title: "Read ratio", style: .fixed(decimals: 3)),
        .init(key: "qsnr_db", title: "QSNR", unit: "dB", style: .decibels),
        .init(key: "gain", title: "Gain", style: .fixed(decimals: 5)),
        .init(key: "max_abs_error", title: "Max abs error", style: .significant(3)),
      ]
      + (plan.showsProductErrors
        ? [Column(key: "product_qsnr_db", title: "Product QSNR", unit: "dB", style: .decibels)]
        : [])
  }

  private static func facts(_ run: GemmRun, _ machine: MachineFacts) -> [Report.Fact] {
    [
      .init(key: "cpu", value: .text(machine.processor ?? "unknown")),
      .init(key: "repeats", value: .integer(run.clock.repeats)),
      .init(key: "seed", value: .integer(Int(clamping: run.plan.seed))),
    ]
  }

  private static func cells(_ row: GemmRun.Row, _ plan: GemmPlan) -> [Cell] {
    let (shape, measurement) = (row.shape, row.measurement)
    return [
      .text(row.pair.a.id), .text(row.pair.b.id), .integer(shape.rows), .integer(shape.columns),
      .integer(shape.depth),
    ] + (plan.showsLevel ? [.text(row.level?.id ?? KernelSelection.reference.id)] : []) + [
      .integer(row.threads), .text(row.accumulator.id), .text(row.unit.rawValue),
      Cell(measurement?.gigaoperationsPerSecond), Cell(measurement?.call.spread),
      measurement.map { .text($0.peakInstructions) } ?? .empty,
      Cell(measurement?.peakGigaoperationsPerSecond), Cell(measurement?.peak.spread),
      Cell(measurement?.peakRatio), Cell(measurement?.gigabytesPerSecond),
      Cell(measurement?.reading?.limitGigabytesPerSecond), Cell(measurement?.readRatio),
      .number(row.errors.qsnr), .number(row.errors.gain), .number(row.errors.maxAbsoluteError),
    ] + (plan.showsProductErrors ? [Cell(row.productErrors?.qsnr)] : [])
  }

  private static func notes(_ plan: GemmPlan) -> [String] {
    var notes = [
      """
      Rates are medians; spread is the distance between the quartiles as a share of the median. \
      Operations are 2 M N K multiplications and additions; quantizing and packing A is part of \
      the time, preparing B is not. The peak is what the level's instructions can do for \
      these formats: a loop in registers that multiplies and adds elements by the instructions \
      named, and finishes each group with one product of scales and one fused multiply-add; same \
      threads, measured in turn with the call.
      """
    ]
    if plan.shapes.contains(where: \.isReading) {
      notes.append(
        """
        Up to \(GemmShape.mostReadingRows) rows, GB/s are the bytes of the prepared B, and their \
        limit a loop that only reads as many; each of the two is called once right before, so that \
        what fits in the caches is there.
        """)
    }
    let isPart = plan.shapes.contains { $0.rows > GemmInput.mostMeasuredRows }
    notes.append(
      """
      Errors are against the FP64 product of the FP32 operands, rounded once to FP32\
      \(isPart ? ", in at most \(GemmInput.mostMeasuredRows) rows spread evenly" : "").
      """)
    if plan.showsProductErrors {
      notes.append(
        """
        Product QSNR compares Y with the exact product of the same quantized operands, rounded \
        once to FP32: what the accumulator costs. All accumulators but fp32 are computed by the \
        reference, without a speed.
        """)
    }
    return notes
  }
}
