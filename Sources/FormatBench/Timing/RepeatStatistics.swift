import CallerChecks

/// The middle and the spread of repeated measurements.
struct RepeatStatistics: Equatable, Sendable {
  /// The median.
  let median: Double
  /// The distance between the quartiles as a share of the median; 0 for a single measurement.
  let spread: Double

  /// Summarises measurements in any order; quantiles interpolate linearly between neighbours.
  ///
  /// - Precondition: at least one measurement, all of them positive.
  init(_ measurements: [Double]) {
    require(!measurements.isEmpty, "no measurement to summarise")
    let sorted = measurements.sorted()
    func quantile(_ share: Double) -> Double {
      let position = share * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }
    median = quantile(0.5)
    spread = (quantile(0.75) - quantile(0.25)) / median
  }
}
