import CallerChecks
import Foundation

/// The learning rate of every step, a function of the step's number alone.
///
/// Steps count from 0. A warm-up of W steps rises in a straight line: step s has peak · (s + 1) / W,
/// so that no step is lost on a rate of zero and step W - 1 has the peak. The last step of a schedule
/// that falls has its final rate exactly, unless the warm-up takes all steps, and so has every step
/// after it.
public struct LearningRateSchedule: Hashable, Sendable {
  private enum Kind: Hashable {
    case constant
    case cosine
    case warmUpStableDecay(decay: Int)
  }

  private let kind: Kind
  private let peak: Double
  private let final: Double
  private let warmUp: Int
  private let total: Int

  /// The same rate for every step.
  ///
  /// - Precondition: The rate is finite and not negative.
  public static func constant(_ rate: Double) -> LearningRateSchedule {
    LearningRateSchedule(kind: .constant, peak: rate, final: rate, warmUp: 0, total: 1)
  }

  /// A warm-up, then half a cosine from the peak to the final rate.
  ///
  /// With P = max(W - 1, 0), the step with the peak, step s > P has
  /// final + (peak - final) (1 + cos(π (s - P) / (N - 1 - P))) / 2.
  ///
  /// - Parameters:
  ///   - peak: The highest rate.
  ///   - final: The rate of the last step.
  ///   - warmUp: The number W of steps that rise to the peak.
  ///   - total: The number N of all steps.
  /// - Precondition: 0 ≤ warmUp ≤ total, total > 0; rates are finite and not negative.
  public static func cosine(
    peak: Double, final: Double = 0, warmUp: Int, total: Int
  ) -> LearningRateSchedule {
    LearningRateSchedule(kind: .cosine, peak: peak, final: final, warmUp: warmUp, total: total)
  }

  /// A warm-up, then the peak, then a straight line down to the final rate in the last D steps.
  ///
  /// Step N - D - 1 still has the peak, step N - D + i is i + 1 parts of D on the way down.
  ///
  /// - Parameters:
  ///   - peak: The highest rate.
  ///   - final: The rate of the last step.
  ///   - warmUp: The number of steps that rise to the peak.
  ///   - decay: The number D of steps below the peak at the end.
  ///   - total: The number N of all steps.
  /// - Precondition: warmUp and decay are not negative and together at most total, total > 0; rates
  ///   are finite and not negative.
  public static func warmUpStableDecay(
    peak: Double, final: Double = 0, warmUp: Int, decay: Int, total: Int
  ) -> LearningRateSchedule {
    require(decay >= 0 && warmUp <= total - decay, "\(warmUp) + \(decay) of \(total) steps")
    return LearningRateSchedule(
      kind: .warmUpStableDecay(decay: decay), peak: peak, final: final, warmUp: warmUp, total: total
    )
  }

  private init(kind: Kind, peak: Double, final: Double, warmUp: Int, total: Int) {
    require(
      peak >= 0 && peak.isFinite && final >= 0 && final.isFinite,
      "learning rates \(peak) and \(final)")
    require(total > 0 && (0...total).contains(warmUp), "a warm-up of \(warmUp) of \(total) steps")
    self.kind = kind
    self.peak = peak
    self.final = final
    self.warmUp = warmUp
    self.total = total
  }

  /// The rate of a step.
  ///
  /// - Precondition: The step is not negative.
  public func rate(step: Int) -> Double {
    require(step >= 0, "the learning rate of step \(step)")
    if step < warmUp - 1 { return peak * (Double(step + 1) / Double(warmUp)) }
    switch kind {
    case .constant: return peak
    case .cosine:
      let start = max(warmUp - 1, 0)
      if step <= start { return peak }
      if step >= total - 1 { return final }
      let progress = Double(step - start) / Double(total - 1 - start)
      return final + (peak - final) * (1 + cos(Double.pi * progress)) / 2
    case .warmUpStableDecay(let decay):
      let last = total - decay - 1
      if decay == 0 || step <= last { return peak }
      if step >= total - 1 { return final }
      return peak + (final - peak) * (Double(step - last) / Double(decay))
    }
  }
}
