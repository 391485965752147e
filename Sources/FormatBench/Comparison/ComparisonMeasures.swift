import CommandLineToolkit
import FormatMetrics

/// A column of numbers of a comparison: to add a measure, define it in FormatMetrics and add a line here.
struct ComparisonMeasure: Sendable {
  let column: Column
  let value: @Sendable (Comparison.Outcome) -> Double

  /// A measure of errors.
  private init(_ column: Column, of errors: @escaping @Sendable (ErrorStatistics) -> Double) {
    self.column = column
    value = { errors($0.errors) }
  }

  private init(_ column: Column, _ value: @escaping @Sendable (Comparison.Outcome) -> Double) {
    self.column = column
    self.value = value
  }

  /// All measures, in the order of columns.
  static let all: [ComparisonMeasure] = [
    .init(
      .init(key: "bits_per_element", title: "Bits per element", style: .trimmed(decimals: 3))
    ) { $0.bitsPerElement },
    .init(.init(key: "qsnr_db", title: "QSNR", unit: "dB", style: .decibels)) { $0.errors.qsnr },
    .init(.init(key: "mse", title: "MSE", style: .significant(3)), of: \.meanSquaredError),
    .init(
      .init(key: "max_abs_error", title: "Max error", style: .significant(3)),
      of: \.maxAbsoluteError),
    .init(.init(key: "gain", title: "Gain", style: .fixed(decimals: 4)), of: \.gain),
    .init(
      .init(key: "underflow_percent", title: "Underflow", unit: "%", style: .percent),
      of: \.underflowPercent),
    .init(
      .init(key: "saturation_percent", title: "Saturated", unit: "%", style: .percent),
      of: \.saturationPercent),
    .init(
      .init(key: "exact_block_percent", title: "Exact blocks", unit: "%", style: .percent),
      of: \.exactBlockPercent),
  ]
}
