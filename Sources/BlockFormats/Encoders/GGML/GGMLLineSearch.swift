/// The line through the values of a part of a block: factor, offset and codes of a few bits.
///
/// With N the greatest code, weights w, `low` = min(least value, 0) and every step one FP32 operation, sums
/// in the order of the values, nothing fused:
///
/// 1. The first line has the factor fl(1 / f) and the offset -low, with f = fl(N / (largest - low)); codes
///    are fl(f · (x - low)) to the nearest integer, ties to even, within 0...N.
/// 2. Further sets of codes, with the sum of N and each trial in the place of N and the `low` of the best
///    line so far, each give the line of least weighted squared error; where its offset would be below
///    zero, the one through zero.
/// 3. A line wins if its weighted error is smaller than that of the best so far.
///
/// Values that are all the same and at most zero have the factor 0.
struct GGMLLineSearch: Hashable, Sendable {
  /// N.
  let greatestCode: Float
  /// The weights.
  let weight: Weight
  /// What a line is judged by.
  let error: ErrorMeasure
  /// What is added to N in the first trial.
  let firstTrial: Float
  /// The trials after the first, each a tenth more.
  let furtherTrialCount: Int

  /// The weights of values.
  enum Weight: Hashable, Sendable {
    /// |x|.
    case magnitude
    /// √(mean of x²) + |x|.
    case raisedMagnitude
  }

  /// The errors that are weighted and added.
  enum ErrorMeasure: Hashable, Sendable {
    case absolute
    case squared
  }

  /// A line and the codes that it was found with.
  struct Line {
    var scale: Float
    var offset: Float
    var codes: [UInt32]
  }

  private static let trialStep: Float = 0.1

  /// The best line.
  func line(through values: ArraySlice<Float>) -> Line {
    let values = Array(values)
    guard var low = values.first else { return Line(scale: 0, offset: 0, codes: []) }
    let weights = weights(of: values)
    var high = low
    for value in values {
      if value < low { low = value }
      if value > high { high = value }
    }
    var (weightSum, weightedSum): (Float, Float) = (0, 0)
    for (value, weight) in zip(values, weights) {
      weightSum += weight
      weightedSum += weight * value
    }
    if low > 0 { low = 0 }
    guard high != low else {
      return Line(scale: 0, offset: -low, codes: values.map { _ in 0 })
    }
    func codes(_ factor: Float, _ low: Float) -> [Float] {
      values.map { value in
        Float(min(max(GGMLNumbers.nearestInteger(factor * (value - low)), 0), Int(greatestCode)))
      }
    }
    func error(_ scale: Float, _ low: Float, _ codes: [Float]) -> Float {
      var sum: Float = 0
      for index in values.indices {
        let difference = (scale * codes[index] + low) - values[index]
        sum += weights[index] * measured(difference)
      }
      return sum
    }
    let first = greatestCode / (high - low)
    var best = (scale: 1 / first, codes: codes(first, low), error: Float(0))
    best.error = error(best.scale, low, best.codes)
    for trial in 0...furtherTrialCount {
      let factor =
        ((firstTrial + Self.trialStep * Float(trial)) + greatestCode) / (high - low)
      let tried = codes(factor, low)
      var (sumOfCodes, sumOfSquares, sumOfProducts): (Float, Float, Float) = (0, 0, 0)
      for index in values.indices {
        let weighted = weights[index] * tried[index]
        sumOfCodes += weighted
        sumOfSquares += weighted * tried[index]
        sumOfProducts += weighted * values[index]
      }
      let determinant = weightSum * sumOfSquares - sumOfCodes * sumOfCodes
      guard determinant > 0 else { continue }
      var scale = (weightSum * sumOfProducts - weightedSum * sumOfCodes) / determinant
      var offset = (sumOfSquares * weightedSum - sumOfCodes * sumOfProducts) / determinant
      if offset > 0 { (scale, offset) = (sumOfProducts / sumOfSquares, 0) }
      let trialError = error(scale, offset, tried)
      if trialError < best.error {
        best = (scale, tried, trialError)
        low = offset
      }
    }
    return Line(scale: best.scale, offset: -low, codes: best.codes.map { UInt32($0) })
  }

  private func weights(of values: [Float]) -> [Float] {
    switch weight {
    case .magnitude: return values.map(\.magnitude)
    case .raisedMagnitude:
      let mean = values.reduce(Float(0)) { $0 + $1 * $1 } / Float(values.count)
      return values.map { mean.squareRoot() + $0.magnitude }
    }
  }

  private func measured(_ difference: Float) -> Float {
    switch error {
    case .absolute: difference.magnitude
    case .squared: difference * difference
    }
  }
}

extension GGMLLineSearch {
  /// The formulas of the search, with its numbers.
  var steps: [String] {
    let most = ExactNumber.text(Double(greatestCode))
    let last = firstTrial + Self.trialStep * Float(furtherTrialCount)
    let weighted = weight == .magnitude ? "|x|" : "sqrt(mean of x^2) + |x|"
    return [
      "w       = \(weighted), over the part",
      "line    = of the codes for (\(most) + t) / (largest - low), t = \(firstTrial)...\(last), "
        + "that of least squared error weighted with w",
      "factor, offset = those of the line with the least \(error == .squared ? "squared" : "absolute") "
        + "error weighted with w; offset >= 0",
    ]
  }
}
