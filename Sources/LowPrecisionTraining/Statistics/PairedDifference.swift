import CallerChecks

/// How a recipe's measurements differ from the baseline's with the same seeds.
///
/// Equal seeds mean equal data and equal initial weights, and most of the spread between seeds is
/// common to both runs. The differences dᵢ = rᵢ - bᵢ of pairs are therefore much less spread than
/// either.
///
/// **In nats** the interval is Student's for the mean of the differences.
///
/// **In percent** the quantity is ρ = 100 · E[d] / E[b], a ratio of means whose denominator is
/// measured too. For the true ratio R = E[d] / E[b] the numbers dᵢ - R bᵢ have mean zero. So the 95 %
/// interval is the set of all R that Student's test of that mean accepts (Fieller's theorem):
///
///     (d̄ - R b̄)² ≤ (t²/n) (s_dd - 2 R s_db + R² s_bb)
///
/// with sample variances s. It holds exactly where pairs are normally distributed. Solved relative
/// to R₀ = d̄/b̄, with e = d - R₀ b, so that nothing cancels, the bounds are
///
///     R₀ + (-c ± √(c² + A (t²/n) s_ee)) / A,   c = (t²/n) s_be,   A = b̄² - (t²/n) s_bb.
///
/// Where A ≤ 0, the baseline's mean is not known to differ from zero, and no finite interval exists.
public struct PairedDifference: Hashable, Sendable {
  /// The differences, recipe minus baseline, in nats.
  public let nats: SampleSummary
  /// 100 times the mean difference over the mean of the baseline.
  public let percent: Double
  /// The 95 % confidence interval of `percent`; nil for fewer than two pairs, for measurements that
  /// are not finite, and where the baseline is not known to differ from zero.
  public let percentInterval95: ClosedRange<Double>?

  /// Compares measurements.
  ///
  /// - Parameters:
  ///   - recipe: The final loss of each seed, in nats.
  ///   - baseline: The baseline's, in the same order of seeds.
  /// - Precondition: There are as many of both.
  public init(recipe: [Double], baseline: [Double]) {
    require(
      recipe.count == baseline.count,
      "\(recipe.count) losses beside \(baseline.count) of the baseline")
    let differences = zip(recipe, baseline).map { $0 - $1 }
    nats = SampleSummary(differences)
    let baselineMean = SampleSummary.mean(baseline)
    let ratio = nats.mean / baselineMean
    percent = 100 * ratio
    percentInterval95 = Self.ratioInterval95(differences, baseline, ratio, baselineMean)
      .map { 100 * $0.lowerBound...100 * $0.upperBound }
  }

  private static func ratioInterval95(
    _ differences: [Double], _ baseline: [Double], _ ratio: Double, _ baselineMean: Double
  ) -> ClosedRange<Double>? {
    let n = Double(baseline.count)
    guard baseline.count > 1, ratio.isFinite else { return nil }
    let t = StudentT.quantile(confidence: 0.95, degreesOfFreedom: baseline.count - 1)
    // t²/n over the n - 1 of the sample variances.
    let factor = t * t / n / (n - 1)
    let residuals = zip(differences, baseline).map { $0 - ratio * $1 }
    let a = baselineMean * baselineMean - factor * SampleSummary.productSum(baseline, baseline)
    let c = factor * SampleSummary.productSum(baseline, residuals)
    let e = factor * SampleSummary.productSum(residuals, residuals)
    guard a > 0, e.isFinite else { return nil }
    let root = (c * c + a * e).squareRoot()
    return ratio + (-c - root) / a...ratio + (-c + root) / a
  }
}
