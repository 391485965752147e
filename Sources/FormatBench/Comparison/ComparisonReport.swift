import BlockFormats
import CommandLineToolkit

/// The rows and facts of a comparison: every measure of every candidate on every tensor.
enum ComparisonReport {
  /// The name of the command that writes it.
  static let command = "compare"

  static let columns: [Column] =
    [
      .init(key: "tensor", title: "Tensor", role: .longName),
      .init(key: "format", title: "Format"),
      .init(key: "scale_rule", title: "Scale rule", role: .setting),
      .init(key: "rounding", title: "Rounding", role: .setting),
    ] + ComparisonMeasure.all.map(\.column)

  /// The name of rows over all tensors.
  static let total = "total"
  /// The name of rows over the tensors whose elements all are finite, where there are others.
  static let finiteTotal = "total_finite"

  /// The columns that tell rows apart, which every choice of columns keeps.
  static let identity = ["tensor", "format", "scale_rule", "rounding"]
  /// The columns that can be chosen.
  static let measures = columns.map(\.key).filter { !identity.contains($0) }

  /// A report without rows of what was measured.
  static func empty(
    _ comparison: Comparison, seed: UInt64, tensorCount: Int, showsAll: Bool
  ) -> Report {
    Report(
      command: command, reproducibility: .everywhere,
      context: [
        .init(key: "tensor_count", value: .integer(tensorCount)),
        .init(
          key: "non_finite_tensor_count", value: .integer(comparison.nonFiniteTensorCount)),
      ] + choices(comparison, seed: seed),
      columns: columns,
      notes: showsAll || tensorCount == 1
        ? [] : ["Totals over \(tensorCount) tensors; --rows all shows each of them."])
  }

  /// The choices that have no column.
  static func choices(_ comparison: Comparison, seed: UInt64) -> [Report.Fact] {
    // Scale rule and rounding have columns.
    let policies = PolicyOptions.choices.map(\.aspect).map { aspect in
      Report.Fact(
        key: aspect.key,
        value: .text(summary(comparison.candidates) { aspect.chosen(in: $0.policy).id }))
    }
    return [.init(key: "axis", value: .integer(comparison.axis))] + policies + [
      .init(key: "seed", value: .integer(Int(clamping: seed)))
    ]
  }

  /// All choices, those that rows have columns for included.
  static func allChoices(_ comparison: Comparison, seed: UInt64) -> [Report.Fact] {
    [
      .init(
        key: "scale_rule", value: .text(summary(comparison.candidates) { $0.policy.scaleRule.id })),
      .init(key: "rounding", value: .text(summary(comparison.candidates) { $0.rounding })),
    ] + choices(comparison, seed: seed)
  }

  /// A choice over all candidates: the commonest, then every other one with its formats.
  private static func summary(
    _ candidates: [Comparison.Candidate], _ id: (Comparison.Candidate) -> String
  ) -> String {
    let groups = Dictionary(grouping: candidates, by: id)
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    return groups.enumerated().map { position, group in
      guard position > 0 else { return group.key }
      var formats: [String] = []
      for candidate in group.value where !formats.contains(candidate.format.id) {
        formats.append(candidate.format.id)
      }
      return "\(group.key) for \(formats.joined(separator: " "))"
    }
    .joined(separator: "; ")
  }

  /// The rows of all candidates over all tensors, and over those without NaN and infinity if some
  /// have such values and some do not.
  static func totals(of comparison: Comparison) -> [[Cell]] {
    func rows(_ name: String, _ outcomes: [Comparison.Outcome]) -> [[Cell]] {
      zip(comparison.candidates, outcomes).map { row(name, $0, $1) }
    }
    let isDivided = comparison.nonFiniteTensorCount > 0 && comparison.finiteTensorCount > 0
    return rows(total, comparison.totals)
      + (isDivided ? rows(finiteTotal, comparison.finiteTotals) : [])
  }

  /// The row of a candidate on one tensor or on all.
  static func row(
    _ tensor: String, _ candidate: Comparison.Candidate, _ outcome: Comparison.Outcome
  ) -> [Cell] {
    [
      .text(tensor), .text(candidate.format.id), .text(candidate.policy.scaleRule.id),
      .text(candidate.rounding),
    ] + ComparisonMeasure.all.map { .number($0.value(outcome)) }
  }
}
