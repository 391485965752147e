/// Times several pieces of work in turn, again and again.
///
/// Taking turns spreads a disturbance of the machine over all of them, so that ratios suffer less
/// than rates.
struct RepeatClock: Sendable {
  /// How often each piece is measured.
  var repeats: Int
  /// The least seconds of a measurement; short work is called several times in a row.
  var leastSeconds = 0.005

  /// What happens right before a measurement.
  enum Preparation: Sendable {
    /// The work is called once, which brings its bytes back into the cache.
    case call
    /// Nothing.
    case nothing
  }

  /// The seconds of a call of each piece of work.
  func seconds(of works: [() -> Void], preparation: Preparation) -> [RepeatStatistics] {
    let callCounts = works.map { work in
      work()
      let seconds = Self.seconds { work() }
      // No work is so short that a clock of nanoseconds measures 0 for a hundred thousand calls.
      return max(1, Int(min(1e5, leastSeconds / max(seconds, 1e-9)).rounded(.up)))
    }
    var measurements = works.map { _ in [Double]() }
    for _ in 0..<repeats {
      for (index, work) in works.enumerated() {
        if preparation == .call { work() }
        let count = callCounts[index]
        let seconds = Self.seconds {
          for _ in 0..<count { work() }
        }
        measurements[index].append(max(seconds, 1e-9) / Double(count))
      }
    }
    return measurements.map(RepeatStatistics.init)
  }

  private static func seconds(_ body: () -> Void) -> Double {
    ContinuousClock().measure(body) / .seconds(1)
  }
}
