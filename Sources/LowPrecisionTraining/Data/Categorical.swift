import CallerChecks
import Foundation

/// A distribution over the numbers from 0 whose probabilities are multiples of 2^-32.
///
/// One random word draws a number, so that the probabilities below are those of the samples
/// exactly, and the entropy follows from them.
struct Categorical: Sendable {
  /// 2^32 times the probability of each number or a lower one; the last is 2^32.
  private let cumulative: [UInt64]

  /// Rounds weights to probabilities.
  ///
  /// - Precondition: The weights are positive, and none is below about 2^-32 of their sum.
  init(weights: [Double]) {
    var sums: [Double] = []
    var sum = 0.0
    for weight in weights {
      sum += weight
      sums.append(sum)
    }
    cumulative = sums.map { UInt64(($0 / sum * 0x1p32).rounded()) }
    require(
      !weights.isEmpty && zip([0] + cumulative, cumulative).allSatisfy { $0 < $1 },
      "weights \(weights) are no distribution")
  }

  /// Zipf's law with an offset: number k has the weight 1 / (k + 1 + offset).
  init(harmonicCount count: Int, offset: Double = 0) {
    self.init(weights: (0..<count).map { 1 / (Double($0 + 1) + offset) })
  }

  var count: Int { cumulative.count }

  /// The number that a random word draws.
  func number(_ word: UInt32) -> Int {
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if UInt64(word) < cumulative[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The probability of a number.
  func probability(_ number: Int) -> Double {
    Double(cumulative[number] - (number == 0 ? 0 : cumulative[number - 1])) * 0x1p-32
  }

  /// -Σ p ln p in nats.
  var entropy: Double {
    -(0..<count).map { probability($0) * log(probability($0)) }.reduce(0, +)
  }
}
