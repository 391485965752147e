import LowPrecisionTraining
import Testing

@Suite("Learning rates")
struct LearningRateScheduleTests {
  private func rates(_ schedule: LearningRateSchedule, _ steps: Range<Int>) -> [Double] {
    steps.map { schedule.rate(step: $0) }
  }

  @Test("A constant rate is the same at every step")
  func constant() {
    #expect(rates(.constant(0.3), 0..<3) == [0.3, 0.3, 0.3])
    #expect(LearningRateSchedule.constant(0.3).rate(step: .max) == 0.3)
  }

  @Test("A cosine rises to the peak in its warm-up, and ends with the final rate exactly")
  func cosine() {
    let schedule = LearningRateSchedule.cosine(peak: 0.7, final: 0.1, warmUp: 4, total: 12)
    #expect(rates(schedule, 0..<4) == [0.175, 0.35, 0.7 * 0.75, 0.7])
    #expect(abs(schedule.rate(step: 7) - 0.4) < 1e-15)
    #expect(schedule.rate(step: 10) > 0.1)
    #expect(rates(schedule, 11..<14) == [0.1, 0.1, 0.1])
    let falling = rates(schedule, 3..<12)
    #expect(zip(falling, falling.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test("Without warm-up the first step has the peak")
  func noWarmUp() {
    let cosine = LearningRateSchedule.cosine(peak: 1, warmUp: 0, total: 3)
    #expect(rates(cosine, 0..<1) == [1])
    #expect(abs(cosine.rate(step: 1) - 0.5) < 1e-15)
    #expect(cosine.rate(step: 2) == 0)
    let stable = LearningRateSchedule.warmUpStableDecay(peak: 1, warmUp: 0, decay: 0, total: 3)
    #expect(rates(stable, 0..<4) == [1, 1, 1, 1])
  }

  @Test("Warm-up, stable part and decay meet at the peak")
  func warmUpStableDecay() {
    let schedule = LearningRateSchedule.warmUpStableDecay(
      peak: 1, final: 0.5, warmUp: 2, decay: 4, total: 9)
    #expect(
      rates(schedule, 0..<11) == [0.5, 1, 1, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.5, 0.5])
  }

  @Test("A schedule may be all warm-up, or warm-up and decay alone")
  func extremes() {
    let warm = LearningRateSchedule.cosine(peak: 1, final: 0.2, warmUp: 4, total: 4)
    #expect(rates(warm, 0..<6) == [0.25, 0.5, 0.75, 1, 0.2, 0.2])
    let triangle = LearningRateSchedule.warmUpStableDecay(peak: 1, warmUp: 2, decay: 2, total: 4)
    #expect(rates(triangle, 0..<5) == [0.5, 1, 0.5, 0, 0])
    let single = LearningRateSchedule.warmUpStableDecay(peak: 1, warmUp: 0, decay: 1, total: 1)
    #expect(rates(single, 0..<2) == [0, 0])
    #expect(rates(.cosine(peak: 1, warmUp: 0, total: 1), 0..<2) == [1, 0])
  }
}
