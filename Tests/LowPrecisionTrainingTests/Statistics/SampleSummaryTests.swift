import FormatTestSupport
import LowPrecisionTraining
import Testing

@Suite("Means over seeds")
struct SampleSummaryTests {
  @Test("Mean, deviation and interval are those of the textbook")
  func example() throws {
    let summary = SampleSummary([2, 4, 4, 4, 6])
    #expect(summary.count == 5)
    #expect(summary.mean == 4)
    #expect(summary.standardDeviation == 2.0.squareRoot())
    // t = 2.776445105 for four degrees of freedom, times √(2/5).
    let halfWidth = try #require(summary.halfWidth95)
    #expect(abs(halfWidth - 1.755977_5) < 1e-6)
    #expect(summary.interval95 == 4 - halfWidth...4 + halfWidth)
  }

  @Test("One measurement has a mean and no interval, none not even a mean")
  func few() {
    let one = SampleSummary([3.5])
    #expect(one.mean == 3.5)
    #expect(one.standardDeviation == nil && one.halfWidth95 == nil && one.interval95 == nil)
    #expect(SampleSummary([]).mean.isNaN)
    #expect(SampleSummary([]).interval95 == nil)
    let equal = SampleSummary([1.1, 1.1])
    #expect(equal.interval95 == 1.1...1.1)
  }

  @Test("A small spread on a large mean is not lost")
  func cancellation() {
    let summary = SampleSummary([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])
    #expect(summary.mean == 1e9 + 10)
    #expect(summary.standardDeviation == 30.0.squareRoot())
  }

  @Test("A measurement that is not finite leaves no interval")
  func notFinite() {
    #expect(SampleSummary([1, .nan]).mean.isNaN)
    #expect(SampleSummary([1, .nan]).interval95 == nil)
    #expect(SampleSummary([1, .infinity]).mean == .infinity)
    #expect(SampleSummary([1, .infinity]).interval95 == nil)
  }
}

@Suite("Differences between recipes on the same seeds")
struct PairedDifferenceTests {
  @Test("The spread that both recipes share does not widen the interval")
  func pairing() throws {
    let baseline = [2.0, 2.5, 3.0]
    let difference = PairedDifference(recipe: [2.0625, 2.5625, 3.0625], baseline: baseline)
    #expect(difference.nats.mean == 0.0625)
    #expect(difference.nats.interval95 == 0.0625...0.0625)
    #expect(difference.percent == 2.5)
    let percent = try #require(difference.percentInterval95)
    #expect(percent.lowerBound < 2.5 && percent.upperBound > 2.5)
  }

  @Test("Equal losses differ by nothing for certain")
  func equal() {
    let difference = PairedDifference(recipe: [2, 2.1], baseline: [2, 2.1])
    #expect(difference.nats.interval95 == 0...0)
    #expect(difference.percent == 0)
    #expect(difference.percentInterval95 == 0...0)
  }

  @Test("The bounds in percent are where Student's test starts to refuse a ratio")
  func bounds() throws {
    var generator = SeededGenerator(seed: 4)
    for count in [2, 3, 5, 8] {
      let baseline = (0..<count).map { _ in Double.random(in: 1.9...2.1, using: &generator) }
      let recipe = baseline.map { $0 * Double.random(in: 1...1.02, using: &generator) }
      let difference = PairedDifference(recipe: recipe, baseline: baseline)
      let interval = try #require(difference.percentInterval95)
      #expect(interval.contains(difference.percent))
      for bound in [interval.lowerBound, interval.upperBound] {
        let residuals = SampleSummary(
          zip(recipe, baseline).map { $0 - $1 - bound / 100 * $1 })
        let halfWidth = try #require(residuals.halfWidth95)
        #expect(abs(abs(residuals.mean) / halfWidth - 1) < 1e-9)
      }
    }
  }

  @Test("Where the baseline is constant, percent is nats over it")
  func constantBaseline() throws {
    let difference = PairedDifference(recipe: [2.1, 2.2, 2.4], baseline: [2, 2, 2])
    let nats = try #require(difference.nats.interval95)
    let percent = try #require(difference.percentInterval95)
    #expect(abs(percent.lowerBound - nats.lowerBound * 50) < 1e-9)
    #expect(abs(percent.upperBound - nats.upperBound * 50) < 1e-9)
  }

  @Test("95 of 100 intervals contain the true ratio")
  func coverage() {
    var generator = SeededGenerator(seed: 11)
    /// About normal: the sum of twelve uniform numbers.
    func noise() -> Double {
      (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
    }
    var (nats, percent) = (0, 0)
    let trials = 1000
    for _ in 0..<trials {
      let baseline = (0..<3).map { _ in 2 + 0.1 * noise() }
      let recipe = baseline.map { $0 + 0.03 + 0.01 * noise() }
      let difference = PairedDifference(recipe: recipe, baseline: baseline)
      if difference.nats.interval95?.contains(0.03) == true { nats += 1 }
      if difference.percentInterval95?.contains(1.5) == true { percent += 1 }
    }
    // Binomial with p = 0.95: six standard deviations are 41.
    #expect(abs(nats - 950) < 41)
    #expect(abs(percent - 950) < 41)
  }

  @Test("No interval is made of one pair, of a baseline around zero, or of a run that diverged")
  func noInterval() {
    let one = PairedDifference(recipe: [2.1], baseline: [2])
    #expect(one.percentInterval95 == nil && one.nats.interval95 == nil)
    #expect(abs(one.percent - 5) < 1e-12)
    let zero = PairedDifference(recipe: [1, 2], baseline: [-1, 1.1])
    #expect(zero.percentInterval95 == nil)
    let diverged = PairedDifference(recipe: [.nan, 2], baseline: [2, 2])
    #expect(diverged.percent.isNaN && diverged.percentInterval95 == nil)
  }
}
