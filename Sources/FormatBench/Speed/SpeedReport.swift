import BlockFormats
import CommandLineToolkit

/// The columns, facts and rows of measured speeds.
enum SpeedReport {
  /// The name of the command that writes it.
  static let command = "speed"

  /// The report of a run.
  static func report(_ rows: [SpeedRun.Row], _ run: SpeedRun, machine: MachineFacts) -> Report {
    let keys = run.plan.variantKeys
    var report = Report(
      command: command, context: facts(run, machine),
      columns: columns(keys), notes: notes(rows))
    for row in rows { report.append(cells(row, keys)) }
    return report
  }

  private static func columns(_ keys: [SpeedVariantKey]) -> [Column] {
    [.init(key: "format", title: "Format")]
      + keys.map { Column(key: $0.rawValue, title: $0.title, role: .setting) }
      + [
        .init(key: "direction", title: "Direction"),
        .init(key: "placement", title: "Placement"),
        .init(key: "threads", title: "Threads", style: .general, role: .setting),
        .init(key: "elements", title: "Elements", style: .general, role: .setting),
        .init(key: "gelements_per_s", title: "G elements/s", style: .significant(3)),
        .init(key: "gbytes_per_s", title: "GB/s", style: .significant(3)),
        .init(key: "spread", title: "Spread", style: .fixed(decimals: 3)),
        .init(key: "limit_gelements_per_s", title: "Limit G elements/s", style: .significant(3)),
        .init(key: "limit_spread", title: "Limit spread", style: .fixed(decimals: 3)),
        .init(key: "limit_stores", title: "Limit stores", role: .setting),
        .init(key: "limit_ratio", title: "Limit ratio", style: .fixed(decimals: 3)),
      ]
  }

  private static func facts(_ run: SpeedRun, _ machine: MachineFacts) -> [Report.Fact] {
    [
      .init(key: "cpu", value: .text(machine.processor ?? "unknown")),
      .init(
        key: "l2_bytes", value: .integer(machine.l2ByteCount ?? PlacementSizes.assumedL2ByteCount)),
      .init(
        key: "llc_bytes",
        value: .integer(machine.lastLevelByteCount ?? PlacementSizes.assumedLastLevelByteCount)),
      .init(key: "limit_vector_bytes", value: .integer(StreamLimit.machineVectorByteCount)),
      .init(key: "repeats", value: .integer(run.clock.repeats)),
      .init(key: "seed", value: .integer(Int(clamping: run.plan.seed))),
    ]
  }

  private static func cells(_ row: SpeedRun.Row, _ keys: [SpeedVariantKey]) -> [Cell] {
    let measurement = row.measurement
    return [.text(row.format.id)] + keys.map { $0.cell(of: row.variant) } + [
      .text(row.direction.rawValue), .text(row.placement.rawValue), .integer(row.threads),
      .integer(measurement.elementCount), .number(measurement.gigaelementsPerSecond),
      .number(measurement.gigabytesPerSecond), .number(measurement.call.spread),
      .number(measurement.limitGigaelementsPerSecond), .number(measurement.limit.spread),
      .text(measurement.limitStores.rawValue), .number(measurement.limitRatio),
    ]
  }

  private static func notes(_ rows: [SpeedRun.Row]) -> [String] {
    var notes = [
      """
      Rates are medians; spread is the distance between the quartiles as a share of the median. \
      The limit is the faster of an ordinary and a non-temporal loop that reads and writes as \
      many bytes at the same placement, measured in turn with the call. fake_quantize writes to a \
      second buffer. Tensor scales are given, not computed.
      """
    ]
    var twoPasses: [String] = []
    for row in rows
    where row.direction != .decode && row.format.layout.block == .tensor
      && row.format.layout.element.nanCode == nil
    {
      if !twoPasses.contains(row.format.id) { twoPasses.append(row.format.id) }
    }
    if !twoPasses.isEmpty {
      notes.append(
        """
        Encoding \(twoPasses.joined(separator: ", ")) reads the tensor twice, first for values that are \
        not finite; the limit reads it once.
        """)
    }
    return notes
  }
}

extension SpeedVariantKey {
  /// The heading of its column.
  var title: String {
    switch self {
    case .rounding: "Rounding"
    case .axis: "Axis"
    case .level: "Level"
    case .input: "Input"
    }
  }
}
