/// The mean of a few independent measurements, such as one for each seed, and how far to trust it.
public struct SampleSummary: Hashable, Sendable {
  /// The number n of measurements.
  public let count: Int
  /// The arithmetic mean; NaN for no measurement or where one is NaN.
  public let mean: Double
  /// The standard deviation with divisor n - 1, or nil for fewer than two measurements.
  public let standardDeviation: Double?
  /// Half the width of the 95 % confidence interval mean ± t s/√n, where t is Student's for n - 1
  /// degrees of freedom.
  ///
  /// It holds for measurements from a normal distribution. Nil for fewer than two measurements, of
  /// which nobody can tell the spread, and where one is not finite.
  public let halfWidth95: Double?

  /// Summarises measurements, in two passes: the mean, then the squares of the deviations from it.
  public init(_ values: [Double]) {
    let n = Double(values.count)
    count = values.count
    let mean = Self.mean(values)
    self.mean = mean
    guard count > 1 else {
      standardDeviation = nil
      halfWidth95 = nil
      return
    }
    let deviation = (Self.productSum(values, values) / (n - 1)).squareRoot()
    standardDeviation = deviation
    halfWidth95 =
      deviation.isFinite
      ? StudentT.quantile(confidence: 0.95, degreesOfFreedom: count - 1) * deviation
        / n.squareRoot()
      : nil
  }

  /// The 95 % confidence interval of the mean, or nil where `halfWidth95` is.
  public var interval95: ClosedRange<Double>? { halfWidth95.map { mean - $0...mean + $0 } }

  /// The mean, corrected once by the mean of the deviations from it.
  static func mean(_ values: [Double]) -> Double {
    let n = Double(values.count)
    let first = values.reduce(0, +) / n
    guard first.isFinite else { return first }
    return first + values.reduce(0) { $0 + ($1 - first) } / n
  }

  /// Σ (x - mean x)(y - mean y).
  static func productSum(_ x: [Double], _ y: [Double]) -> Double {
    let (meanX, meanY) = (mean(x), mean(y))
    return zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
  }
}
