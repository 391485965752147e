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

  /// A number of each of eight parts, which are looked at together.
  private typealias Lanes = SIMD8<Float>

  /// The best line of each part.
  ///
  /// - Parameters:
  ///   - values: finite values.
  ///   - partLength: the values of a part; the last one may have fewer.
  func lines(through values: [Float], partLength: Int) -> [Line] {
    let wholePartCount = values.count / partLength
    var lines: [Line] = []
    for part in stride(from: 0, to: wholePartCount, by: Lanes.scalarCount) {
      let count = min(wholePartCount - part, Lanes.scalarCount)
      lines += self.lines(
        through: values[part * partLength..<(part + count) * partLength], partCount: count)
    }
    let rest = values[(wholePartCount * partLength)...]
    return rest.isEmpty ? lines : lines + self.lines(through: rest, partCount: 1)
  }

  /// The best line of each of up to eight parts of one length.
  private func lines(through parts: ArraySlice<Float>, partCount: Int) -> [Line] {
    let length = parts.count / partCount
    let values = (0..<length).map { index in
      var lanes = Lanes.zero
      for part in 0..<partCount { lanes[part] = parts[parts.startIndex + part * length + index] }
      return lanes
    }
    let weights = weights(of: values)
    var (low, high) = (values[0], values[0])
    var (weightSum, weightedSum) = (Lanes.zero, Lanes.zero)
    for (value, weight) in zip(values, weights) {
      low.replace(with: value, where: value .< low)
      high.replace(with: value, where: value .> high)
      weightSum += weight
      weightedSum += weight * value
    }
    low.replace(with: 0, where: low .> 0)
    let isLevel = high .== low
    // Where it is level, what follows has no meaning, and no use.
    let (level, first) = (low, greatestCode / (high - low))
    var (scale, bestCodes) = (1 / first, values)
    setCodes(&bestCodes, of: values, factor: first, low)
    var leastError = error(of: bestCodes, scale, low, values, weights)
    var codes = bestCodes
    for trial in 0...furtherTrialCount {
      let target = (firstTrial + Self.trialStep * Float(trial)) + greatestCode
      setCodes(&codes, of: values, factor: target / (high - low), low)
      var (sumOfCodes, sumOfSquares, sumOfProducts) = (Lanes.zero, Lanes.zero, Lanes.zero)
      for index in values.indices {
        let weighted = weights[index] * codes[index]
        sumOfCodes += weighted
        sumOfSquares += weighted * codes[index]
        sumOfProducts += weighted * values[index]
      }
      let determinant = weightSum * sumOfSquares - sumOfCodes * sumOfCodes
      var trialScale = (weightSum * sumOfProducts - weightedSum * sumOfCodes) / determinant
      var offset = (sumOfSquares * weightedSum - sumOfCodes * sumOfProducts) / determinant
      trialScale.replace(with: sumOfProducts / sumOfSquares, where: offset .> 0)
      offset.replace(with: 0, where: offset .> 0)
      let trialError = error(of: codes, trialScale, offset, values, weights)
      let wins = (determinant .> 0) .& (trialError .< leastError)
      guard any(wins) else { continue }
      scale.replace(with: trialScale, where: wins)
      leastError.replace(with: trialError, where: wins)
      low.replace(with: offset, where: wins)
      for index in codes.indices { bestCodes[index].replace(with: codes[index], where: wins) }
    }
    return (0..<partCount).map { part in
      guard !isLevel[part] else {
        return Line(scale: 0, offset: -level[part], codes: values.map { _ in 0 })
      }
      return Line(
        scale: scale[part], offset: -low[part], codes: bestCodes.map { UInt32($0[part]) })
    }
  }

  private func weights(of values: [Lanes]) -> [Lanes] {
    var root = Lanes.zero
    if weight == .raisedMagnitude {
      let mean = values.reduce(Lanes.zero) { $0 + $1 * $1 } / Float(values.count)
      root = mean.squareRoot()
    }
    return values.map { root + $0.replacing(with: -$0, where: $0 .< 0) }
  }

  /// The codes of the lines from `low` up, for a factor each.
  @inline(__always)
  private func setCodes(
    _ codes: inout [Lanes], of values: [Lanes], factor: Lanes, _ low: Lanes
  ) {
    let greatest = Int32(greatestCode)
    for index in values.indices {
      let nearest = GGMLNumbers.nearestIntegers(factor * (values[index] - low))
      codes[index] = GGMLNumbers.floats(
        nearest.clamped(lowerBound: .zero, upperBound: .init(repeating: greatest)))
    }
  }

  /// The weighted errors of lines and their codes.
  @inline(__always)
  private func error(
    of codes: [Lanes], _ scale: Lanes, _ low: Lanes, _ values: [Lanes], _ weights: [Lanes]
  ) -> Lanes {
    var sum = Lanes.zero
    for index in values.indices {
      let difference = (scale * codes[index] + low) - values[index]
      let measured =
        switch error {
        case .absolute: difference.replacing(with: -difference, where: difference .< 0)
        case .squared: difference * difference
        }
      sum += weights[index] * measured
    }
    return sum
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
