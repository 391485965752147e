import BlockFormats
import CommandLineToolkit
import FormatMetrics
import Foundation

/// The answer of a comparison for people: one row for each candidate, sorted by stored bits, and
/// among equal bits by QSNR.
///
/// One tensor is told by its measures; several by the QSNR on each, side by side; more than the
/// width takes by the QSNR on all, the median and the least of them.
struct ComparisonTable {
  /// What every candidate did to one tensor.
  struct Measured {
    var name: String
    /// In the order of the candidates.
    var outcomes: [Comparison.Outcome]
  }

  let comparison: Comparison
  let tensors: [Measured]
  /// The choices made, which are told below the table.
  let choices: [Report.Fact]

  /// The table within the width of a destination.
  func report(for destination: ReportDestination) -> Report {
    guard tensors.count != 1 else { return measures }
    let pivot = self.pivot
    return TextTable(pivot, destination).isWhole ? pivot : summary
  }

  // MARK: - The three forms

  private var measures: Report {
    let keys = ["qsnr_db", "max_abs_error", "gain", "underflow_percent", "saturation_percent"]
    let kept = ComparisonMeasure.all.filter { keys.contains($0.column.key) }
    var report = empty(
      columns: kept.map(\.column),
      notes: [Self.qsnrNote] + notes)
    for (_, candidate, outcome) in ranking {
      report.append(identity(candidate, outcome) + kept.map { .number($0.value(outcome)) })
    }
    return report
  }

  private var pivot: Report {
    var report = empty(
      columns: [Self.totalColumn]
        + tensors.enumerated().map { index, tensor in
          Column(
            key: "qsnr_db_\(index)", title: TextLayout.escaped(tensor.name), style: .decibels,
            role: .namedValue)
        },
      notes: [totalNote + " " + Self.qsnrNote] + notes)
    for (index, candidate, total) in ranking {
      report.append(
        identity(candidate, total) + [.number(total.errors.qsnr)]
          + tensors.map { .number($0.outcomes[index].errors.qsnr) })
    }
    return report
  }

  private var summary: Report {
    var report = empty(
      columns: [
        Self.totalColumn,
        .init(key: "qsnr_db_median", title: "Median", style: .decibels),
        .init(key: "qsnr_db_least", title: "Least", style: .decibels),
        .init(key: "least_tensor", title: "Least on", role: .longName),
      ],
      notes: [
        """
        \(tensors.count) tensors do not stand side by side in this width; --rows all shows each. \
        \(totalNote) Median and Least are over tensors with a QSNR. \(Self.qsnrNote)
        """
      ] + notes)
    for (index, candidate, total) in ranking {
      let ranked = tensors.map { (qsnr: $0.outcomes[index].errors.qsnr, name: $0.name) }
        .filter { !$0.qsnr.isNaN }.sorted { $0.qsnr < $1.qsnr }
      report.append(
        identity(candidate, total) + [
          .number(total.errors.qsnr), .number(Self.median(ranked.map(\.qsnr))),
          .number(ranked.first?.qsnr ?? .nan), .text(ranked.first?.name ?? "-"),
        ])
    }
    return report
  }

  // MARK: - What they share

  private static let totalColumn = Column(key: "qsnr_db", title: "Total", style: .decibels)

  private static let qsnrNote = """
    QSNR in dB is 10 log10 of the sum of squares over the sum of squared errors: 6 dB more is half \
    the error. Bits are those stored for an element, scales included.
    """

  private var notes: [String] {
    // What has a column needs no second mention.
    let swept = (sweepsRules ? ["scale_rule"] : []) + (sweepsRoundings ? ["rounding"] : [])
    let facts = choices.filter { !swept.contains($0.key) }.map { fact in
      fact.key.replacing("_", with: " ") + " " + fact.value.displayText(fact.style)
    }
    return [
      """
      --rows all or total tells every measure, --columns mse,gain the ones you name; --json, --csv \
      and --markdown hold all of them.
      """,
      "Choices: " + facts.joined(separator: "; ") + ".",
    ] + (comparison.shortBlockNote.map { [$0] } ?? [])
  }

  /// Whether candidates of one format differ in a choice, which then has a column.
  private func isSwept(_ id: (Comparison.Candidate) -> String) -> Bool {
    Dictionary(grouping: comparison.candidates, by: \.format.id)
      .contains { Set($0.value.map(id)).count > 1 }
  }

  private var sweepsRules: Bool { isSwept(\.policy.scaleRule.id) }
  private var sweepsRoundings: Bool { isSwept(\.rounding) }

  private func empty(columns: [Column], notes: [String]) -> Report {
    var identity = [Column(key: "format", title: "Format")]
    if sweepsRules { identity.append(Column(key: "scale_rule", title: "Scale rule")) }
    if sweepsRoundings { identity.append(Column(key: "rounding", title: "Rounding")) }
    identity.append(
      Column(key: "bits_per_element", title: "Bits", style: .trimmed(decimals: Self.bitDecimals)))
    return Report(
      command: ComparisonReport.command, reproducibility: .everywhere,
      context: [.init(key: "tensors", value: .text(tensorsText))], columns: identity + columns,
      notes: notes)
  }

  private var tensorsText: String {
    tensors.count == 1 ? tensors[0].name : "\(tensors.count), QSNR in dB, higher is better"
  }

  private func identity(
    _ candidate: Comparison.Candidate, _ total: Comparison.Outcome
  ) -> [Cell] {
    var cells = [Cell.text(candidate.format.id)]
    if sweepsRules { cells.append(.text(candidate.policy.scaleRule.id)) }
    if sweepsRoundings { cells.append(.text(candidate.rounding)) }
    return cells + [.number(total.bitsPerElement)]
  }

  /// What was done to all tensors in one, or to those that are finite where some are and some not.
  private var totals: [Comparison.Outcome] {
    isDivided ? comparison.finiteTotals : comparison.totals
  }

  private var isDivided: Bool {
    comparison.nonFiniteTensorCount > 0 && comparison.finiteTensorCount > 0
  }

  private var totalNote: String {
    isDivided
      ? "Total is all tensors without NaN and infinity in one." : "Total is all tensors in one."
  }

  /// The digits of bits behind the point.
  private static let bitDecimals = 3

  /// The candidates by bits as they are shown, then by falling QSNR, then as they were given; what is
  /// no number last.
  private var ranking: [(index: Int, candidate: Comparison.Candidate, total: Comparison.Outcome)] {
    func rank(_ value: Double) -> Double { value.isNaN ? .infinity : value }
    return zip(comparison.candidates, totals).enumerated()
      .map { (index: $0.offset, candidate: $0.element.0, total: $0.element.1) }
      .sorted { a, b in
        // A tensor scale makes formats of equal bits differ by what no digit shows.
        func bits(_ outcome: Comparison.Outcome) -> Double {
          rank((outcome.bitsPerElement * pow(10, Double(Self.bitDecimals))).rounded())
        }
        let (bitsA, bitsB) = (bits(a.total), bits(b.total))
        guard bitsA == bitsB else { return bitsA < bitsB }
        let (lossA, lossB) = (rank(-a.total.errors.qsnr), rank(-b.total.errors.qsnr))
        return (lossA, a.index) < (lossB, b.index)
      }
  }

  private static func median(_ sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
