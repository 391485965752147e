import Foundation
import LowPrecisionTraining
import Testing

@Suite("Predictions side by side")
struct LogitComparisonTests {
  private func comparison(
    _ reference: [Float], _ candidate: [Float], vocabularyCount: Int = 2, mask: [Float]? = nil
  ) -> LogitComparison {
    var result = LogitComparison()
    reference.withUnsafeBufferPointer { reference in
      candidate.withUnsafeBufferPointer { candidate in
        result.add(
          reference: reference, candidate: candidate, vocabularyCount: vocabularyCount, mask: mask)
      }
    }
    return result
  }

  @Test("The divergence is Σ p ln(p/q)")
  func divergence() {
    let p = [0.5, 0.25, 0.25]
    let q = [0.25, 0.25, 0.5]
    // Adding a constant to the logits of a row changes nothing.
    let result = comparison(
      p.map { Float(log($0) + 3) }, q.map { Float(log($0) - 50) }, vocabularyCount: 3)
    #expect(abs(result.mean - 0.25 * log(2.0)) < 1e-5)
    #expect(result.flipCount == 1 && result.flipFraction == 1)
  }

  @Test("Equal predictions do not diverge, however large the logits")
  func equal() {
    let logits: [Float] = [3e38, -3e38, 0, 1, 100, 90]
    let result = comparison(logits, logits)
    #expect(result.divergences == [0, 0, 0])
    #expect(result.flipCount == 0 && result.undefinedCount == 0)
  }

  @Test("A token that cannot come adds nothing; one that only the candidate excludes, infinity")
  func excludedTokens() {
    let excluded = -Float.infinity
    let result = comparison([0, excluded, 0, 0], [0, 0, 0, excluded])
    #expect(abs(result.divergences[0] - log(2.0)) < 1e-15)
    #expect(result.divergences[1] == .infinity)
  }

  @Test("Among equal logits the lowest token is the largest")
  func ties() {
    #expect(comparison([1, 1, 1, 1], [1, 0, 0, 1]).flipCount == 1)
  }

  @Test("Rows that are no distributions are counted apart")
  func undefined() {
    let result = comparison(
      [.nan, 0, 0, .infinity, 0, 0, 1, 2], [0, 0, 0, 0, -.infinity, -.infinity, 1, 2])
    #expect(result.undefinedCount == 3)
    #expect(result.count == 1 && result.mean == 0)
  }

  @Test("Masked rows are skipped, and rows may come in several calls")
  func mask() {
    var result = comparison([0, 1, 1, 0, 5, 0], [0, 1, 0, 1, 0, 5], mask: [1, 1, 0])
    #expect(result.count == 2 && result.flipCount == 1)
    result.add(
      reference: UnsafeBufferPointer(start: nil, count: 0),
      candidate: UnsafeBufferPointer(start: nil, count: 0), vocabularyCount: 2)
    #expect(result.count == 2)
    #expect(LogitComparison().median.isNaN && LogitComparison().mean.isNaN)
  }

  @Test("Quantiles interpolate between the sorted divergences")
  func quantiles() {
    // Against equal logits, a row of ±x/2 diverges by more the larger x.
    let logits = [Float](stride(from: 4, through: 0, by: -1))
    let result = comparison(
      logits.flatMap { [$0, 0] }, [Float](repeating: 0, count: 10))
    let sorted = result.divergences.sorted()
    #expect(sorted == result.divergences.reversed())
    #expect(result.median == sorted[2])
    #expect(result.quantile(0) == sorted[0] && result.quantile(1) == sorted[4])
    #expect(abs(result.quantile(0.375) - (sorted[1] + sorted[2]) / 2) < 1e-15)
    #expect(abs(result.percentile99 - (0.04 * sorted[3] + 0.96 * sorted[4])) < 1e-14)
  }
}
