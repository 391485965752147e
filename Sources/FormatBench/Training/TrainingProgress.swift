import CommandLineToolkit
import LowPrecisionTraining
import TrainingRecipes

/// How far a comparison is, and how long the rest will take at the speed so far.
struct TrainingProgress {
  /// The steps of all runs.
  let stepCount: Int
  private let start = ContinuousClock.now
  private var known = 0
  private var taken = 0

  init(stepCount: Int) { self.stepCount = stepCount }

  /// Counts steps that an earlier call of the command took.
  mutating func skip(_ count: Int) { known += count }

  /// Counts a step.
  mutating func advance() { taken += 1 }

  /// Seconds that the steps left will take; `nil` before the first.
  func secondsLeft(after elapsed: Double) -> Double? {
    taken == 0 ? nil : elapsed / Double(taken) * Double(stepCount - known - taken)
  }

  /// One line about a step of a run.
  func line(_ recipe: Recipe, seed: Int, _ row: LossCurve.Row, of count: Int) -> String {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    let left = secondsLeft(after: elapsed).map { ", \(Self.time($0)) left" } ?? ""
    let speed = NumberStyle.significant(3).text(row.tokensPerSecond)
    return "\(recipe.name), seed \(seed), step \(row.step + 1)/\(count): loss "
      + "\(NumberStyle.fixed(decimals: 4).text(row.trainingLoss)), \(speed) tokens/s\(left)"
  }

  /// Hours, minutes and seconds.
  static func time(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e9).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
  }
}
