import CallerChecks
import Foundation

/// How the predictions of one model differ from another's, position by position.
///
/// A row of logits z stands for the distribution p = softmax(z). With p the reference's and q the
/// candidate's, a row's divergence is
///
///     KL(p ‖ q) = Σ p (ln p - ln q) = Σ p ((z_p - L_p) - (z_q - L_q)),  L = ln Σ exp z,
///
/// in nats, computed in double precision; rounding may leave it negative, then it is 0. A term with
/// p = 0 is 0; q = 0 where p > 0 makes it infinite. A row flips if the largest logits of the two are
/// at different tokens; among equal logits the lowest token counts as the largest.
///
/// Rows with a NaN, +Infinity, or nothing but -Infinity in either are no distributions. They are
/// counted in `undefinedCount` and nowhere else.
public struct LogitComparison: Sendable {
  /// The divergences of all rows in their order, in nats.
  public private(set) var divergences: [Double] = []
  /// The number of rows whose most probable token differs.
  public private(set) var flipCount = 0
  /// The number of rows left out because one of them is no distribution.
  public private(set) var undefinedCount = 0

  /// Starts without rows.
  public init() {}

  /// Adds rows.
  ///
  /// - Parameters:
  ///   - reference: Rows of logits, row-major.
  ///   - candidate: The other model's, in the same order.
  ///   - vocabularyCount: The length of a row.
  ///   - mask: Zero for every row to be skipped; nil takes all rows.
  /// - Precondition: Both have the same whole number of rows, and the mask an element for each.
  public mutating func add(
    reference: UnsafeBufferPointer<Float>, candidate: UnsafeBufferPointer<Float>,
    vocabularyCount: Int, mask: [Float]? = nil
  ) {
    require(
      vocabularyCount > 0 && reference.count == candidate.count
        && reference.count.isMultiple(of: vocabularyCount),
      "\(reference.count) and \(candidate.count) logits in rows of \(vocabularyCount)")
    let rowCount = reference.count / vocabularyCount
    require(
      mask.map { $0.count == rowCount } ?? true,
      "a mask of \(mask?.count ?? 0) elements for \(rowCount) rows")
    for row in 0..<rowCount where mask.map({ $0[row] != 0 }) ?? true {
      let range = row * vocabularyCount..<(row + 1) * vocabularyCount
      addRow(
        UnsafeBufferPointer(rebasing: reference[range]),
        UnsafeBufferPointer(rebasing: candidate[range]))
    }
  }

  /// The number of rows compared.
  public var count: Int { divergences.count }
  /// The share of the rows compared that flipped; NaN for none.
  public var flipFraction: Double { Double(flipCount) / Double(count) }
  /// The mean divergence; NaN for no row.
  public var mean: Double { divergences.reduce(0, +) / Double(count) }
  /// Half of the rows diverge by no more, as `quantile` counts.
  public var median: Double { quantile(0.5) }
  /// 99 % of the rows diverge by no more, as `quantile` counts.
  public var percentile99: Double { quantile(0.99) }

  /// The quantile of the divergences: between the two that stand at the whole numbers around
  /// p (n - 1) in ascending order, counted from 0, by linear interpolation.
  ///
  /// This is rule 7 of Hyndman and Fan, the default of NumPy and R. NaN for no row.
  ///
  /// - Precondition: p is from 0 to 1.
  public func quantile(_ p: Double) -> Double {
    require((0...1).contains(p), "the quantile at \(p)")
    guard !divergences.isEmpty else { return .nan }
    let ascending = divergences.sorted()
    let place = p * Double(count - 1)
    let low = Int(place)
    let fraction = place - Double(low)
    guard fraction > 0 else { return ascending[low] }
    return ascending[low] + fraction * (ascending[low + 1] - ascending[low])
  }

  private mutating func addRow(
    _ reference: UnsafeBufferPointer<Float>, _ candidate: UnsafeBufferPointer<Float>
  ) {
    guard let p = LogitRow(reference), let q = LogitRow(candidate) else {
      undefinedCount += 1
      return
    }
    var divergence = 0.0
    for (zp, zq) in zip(reference, candidate) where zp != -.infinity {
      let logarithm = p.logarithm(zp)
      divergence += exp(logarithm) * (logarithm - q.logarithm(zq))
    }
    divergences.append(max(0, divergence))
    if p.largest != q.largest { flipCount += 1 }
  }
}

/// What a row of logits needs to become probabilities.
private struct LogitRow {
  /// Where the largest logit stands first.
  let largest: Int
  private let maximum: Double
  /// ln Σ exp(z - maximum).
  private let logarithmOfSum: Double

  /// Nil unless the row stands for a distribution.
  init?(_ logits: UnsafeBufferPointer<Float>) {
    var largest = 0
    for index in logits.indices {
      if logits[index].isNaN { return nil }
      if logits[index] > logits[largest] { largest = index }
    }
    guard logits[largest].isFinite else { return nil }
    let maximum = Double(logits[largest])
    self.largest = largest
    self.maximum = maximum
    logarithmOfSum = log(logits.reduce(0) { $0 + exp(Double($1) - maximum) })
  }

  /// ln of the probability of a token.
  func logarithm(_ logit: Float) -> Double { Double(logit) - maximum - logarithmOfSum }
}
