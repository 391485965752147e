/// The line through the values of a part of a Q4_K block: factor, offset and codes of four bits.
///
/// With weights w = √(mean of x²) + |x|, `low` = min(least value, 0) and every step one FP32 operation,
/// sums in the order of the values, nothing fused:
///
/// 1. The first line has the factor fl(1 / f) and the offset -low, with f = fl(15 / (largest - low)); codes
///    are fl(f · (x - low)) to the nearest integer, ties to even, within 0...15.
/// 2. Twenty-one further sets of codes, with 14, 14.1, ... 16 in the place of 15 and the `low` of the best
///    line so far, each give the line of least weighted squared error; where its offset would be below
///    zero, the one through zero.
/// 3. A line wins if its weighted squared error is smaller than that of the best so far.
///
/// Values that are all the same and at most zero have the factor 0.
enum Q4_KSearch {
  /// A line and the codes that it was found with.
  struct Line {
    var scale: Float
    var offset: Float
    var codes: [UInt32]
  }

  private static let greatestCode: Float = 15
  private static let trialCount = 21
  private static let firstTrial: Float = -1
  private static let trialStep: Float = 0.1

  /// The best line.
  static func line(through values: ArraySlice<Float>) -> Line {
    let values = Array(values)
    guard var low = values.first else { return Line(scale: 0, offset: 0, codes: []) }
    let mean = values.reduce(Float(0)) { $0 + $1 * $1 } / Float(values.count)
    let weights = values.map { mean.squareRoot() + $0.magnitude }
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
        Float(min(max(nearestInteger(factor * (value - low)), 0), Int(greatestCode)))
      }
    }
    func error(_ scale: Float, _ low: Float, _ codes: [Float]) -> Float {
      var sum: Float = 0
      for index in values.indices {
        let difference = (scale * codes[index] + low) - values[index]
        sum += weights[index] * (difference * difference)
      }
      return sum
    }
    let first = greatestCode / (high - low)
    var best = (scale: 1 / first, codes: codes(first, low), error: Float(0))
    best.error = error(best.scale, low, best.codes)
    for trial in 0..<trialCount {
      let factor = ((firstTrial + trialStep * Float(trial)) + greatestCode) / (high - low)
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

  /// The nearest integer, ties to even, of magnitudes up to 2^22; what the same bits give beyond.
  static func nearestInteger(_ value: Float) -> Int {
    let magic: Float = 0x1.8p23
    return Int((value + magic).bitPattern & 0x7F_FFFF) - 0x40_0000
  }
}
