import BlockFormats
import FormatMetrics

/// The rows and facts of a comparison.
enum ComparisonReport {
  static let columns: [Column] = [
    .init(key: "tensor", title: "Tensor", role: .longName),
    .init(key: "format", title: "Format"),
    .init(key: "scale_rule", title: "Scale rule", role: .setting),
    .init(key: "rounding", title: "Rounding", role: .setting),
    .init(key: "bits_per_element", title: "Bits per element", style: .trimmed(decimals: 3)),
    .init(key: "qsnr_db", title: "QSNR", unit: "dB", style: .decibels),
    .init(key: "mse", title: "MSE", style: .significant(3)),
    .init(key: "max_abs_error", title: "Max error", style: .significant(3)),
    .init(key: "gain", title: "Gain", style: .fixed(decimals: 4)),
    .init(key: "underflow_percent", title: "Underflow", unit: "%", style: .percent),
    .init(key: "saturation_percent", title: "Saturated", unit: "%", style: .percent),
    .init(key: "exact_block_percent", title: "Exact blocks", unit: "%", style: .percent),
  ]

  /// The name of rows over all tensors.
  static let total = "total"
  /// The name of rows over the tensors whose elements all are finite, where there are others.
  static let finiteTotal = "total_finite"

  /// A report without rows of what was measured.
  static func empty(
    _ comparison: Comparison, seed: UInt64, tensorCount: Int, showsAll: Bool
  ) -> Report {
    func fact(_ key: String, _ id: (EncodingPolicy) -> String) -> Report.Fact {
      .init(key: key, value: .text(summary(comparison.candidates, id)))
    }
    return Report(
      command: CompareCommand.declaration.name,
      context: [
        .init(key: "tensor_count", value: .integer(tensorCount)),
        .init(
          key: "non_finite_tensor_count", value: .integer(comparison.nonFiniteTensorCount)),
        .init(key: "axis", value: .integer(comparison.axis)),
        fact("overflow", \.overflow.id), fact("non_finite", \.nonFinite.id),
        fact("scale_floor", \.scaleFloor.id), fact("zero_block", \.zeroBlock.id),
        .init(key: "seed", value: .integer(Int(clamping: seed))),
      ],
      columns: columns,
      notes: showsAll
        ? [] : ["Totals over \(tensorCount) tensors; --rows all shows each of them."])
  }

  /// A choice over all candidates: the commonest, then every other one with its formats.
  private static func summary(
    _ candidates: [Comparison.Candidate], _ id: (EncodingPolicy) -> String
  ) -> String {
    let groups = Dictionary(grouping: candidates) { id($0.policy) }
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
    let errors = outcome.errors
    return [
      .text(tensor), .text(candidate.format.id), .text(candidate.policy.scaleRule.id),
      .text(candidate.rounding), .number(outcome.bitsPerElement), .number(errors.qsnr),
      .number(errors.meanSquaredError), .number(errors.maxAbsoluteError), .number(errors.gain),
      .number(errors.underflowPercent), .number(errors.saturationPercent),
      .number(errors.exactBlockPercent),
    ]
  }
}
