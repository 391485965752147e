import FormatMetrics
import Testing

@Suite("Error statistics of small cases worked by hand")
struct ErrorStatisticsTests {
  @Test("Sums, maxima and counts of four pairs are those computed by hand")
  func handComputed() {
    // e = 0.5, 1, 0, 0.5: every term is exact in binary.
    let statistics = ErrorStatistics(original: [1, -2, 0, -0.5], reconstruction: [1.5, -1, 0, 0])
    #expect(statistics.count == 4)
    #expect(statistics.sumOfSquares == 5.25)
    #expect(statistics.sumOfSquaredErrors == 1.5)
    #expect(statistics.sumOfProducts == 3.5)
    #expect(statistics.sumOfSquaredReconstructions == 3.25)
    #expect(statistics.sumOfErrors == 2)
    #expect(statistics.underflowCount == 1)
    // 10 log10(3.5); C libraries may differ in the last bits of the logarithm.
    #expect(abs(statistics.qsnr - 5.440680443502757) <= 0x1p-48)
    #expect(statistics.meanSquaredError == 0.375)
    #expect(statistics.maxAbsoluteError == 1)
    #expect(statistics.maxRelativeError == 1)
    #expect(statistics.gain == 3.5 / 5.25)
    #expect(statistics.bias == 0.5)
    #expect(statistics.cosineSimilarity == 3.5 / (5.25 * 3.25).squareRoot())
    #expect(statistics.underflowPercent == 25)
  }

  @Test("Counts added by the caller give percentages, and NaN without any block")
  func callerCounts() {
    var statistics = ErrorStatistics(original: [1, 2, 3, 4], reconstruction: [1, 2, 3, 3])
    #expect(statistics.exactBlockPercent.isNaN)
    #expect(statistics.saturationPercent == 0)
    statistics.saturatedCount += 1
    statistics.blockCount += 2
    statistics.exactBlockCount += 1
    #expect(statistics.saturationPercent == 25)
    #expect(statistics.exactBlockPercent == 50)
  }

  @Test("No pair gives zero counts and sums, and NaN for every quotient")
  func empty() {
    for statistics in [ErrorStatistics(), ErrorStatistics(original: [], reconstruction: [])] {
      #expect(statistics == ErrorStatistics())
      #expect(statistics.count == 0)
      #expect(statistics.underflowCount == 0)
      #expect(statistics.quotients.allSatisfy { $0.isNaN })
    }
  }

  @Test("All-zero input has no QSNR, gain, cosine or relative error, with and without an error")
  func zeroInput() {
    let exact = ErrorStatistics(original: [0, -0.0, 0], reconstruction: [0, 0, -0.0])
    let noisy = ErrorStatistics(original: [0, 0, 0], reconstruction: [0, 2, 0])
    for statistics in [exact, noisy] {
      #expect(statistics.qsnr.isNaN)
      #expect(statistics.gain.isNaN)
      #expect(statistics.cosineSimilarity.isNaN)
      #expect(statistics.maxRelativeError.isNaN)
      #expect(statistics.underflowCount == 0)
    }
    #expect(exact.maxAbsoluteError == 0)
    #expect(exact.meanSquaredError == 0)
    #expect(noisy.maxAbsoluteError == 2)
  }

  @Test("An exact reconstruction has infinite QSNR, gain and cosine 1 and no error")
  func exactReconstruction() {
    let values = Distribution.studentT(degreesOfFreedom: 2).sample(
      vectors: 3, length: 3001, seed: 9)
    let statistics = ErrorStatistics(original: values, reconstruction: values)
    #expect(statistics.qsnr == .infinity)
    #expect(statistics.gain == 1)
    #expect(statistics.cosineSimilarity == 1)
    #expect(statistics.meanSquaredError == 0)
    #expect(statistics.maxAbsoluteError == 0)
    #expect(statistics.maxRelativeError == 0)
    #expect(statistics.bias == 0)
  }

  @Test("A NaN on either side, at any place, makes the error sums and both maxima NaN")
  func nan() {
    for place in [0, 5, 8, 4095, 4096, 9000] {
      for inOriginal in [true, false] {
        var x = [Float](repeating: 1, count: 9001)
        var y = x
        if inOriginal { x[place] = .nan } else { y[place] = .nan }
        let statistics = ErrorStatistics(original: x, reconstruction: y)
        #expect(statistics.qsnr.isNaN)
        #expect(statistics.meanSquaredError.isNaN)
        #expect(statistics.maxAbsoluteError.isNaN)
        #expect(statistics.maxRelativeError.isNaN)
        #expect(statistics.bias.isNaN)
        #expect(statistics.gain.isNaN)
        #expect(statistics.cosineSimilarity.isNaN)
        #expect(statistics.sumOfSquares.isNaN == inOriginal)
        #expect(statistics.count == 9001)
      }
    }
  }

  @Test("Infinities follow the arithmetic of the formulas")
  func infinities() {
    let overflowed = ErrorStatistics(original: [1, 2], reconstruction: [1, .infinity])
    #expect(overflowed.qsnr == -.infinity)
    #expect(overflowed.maxAbsoluteError == .infinity)
    #expect(overflowed.maxRelativeError == .infinity)
    #expect(overflowed.meanSquaredError == .infinity)
    let clipped = ErrorStatistics(original: [1, -.infinity], reconstruction: [1, -448])
    #expect(clipped.maxAbsoluteError == .infinity)
    #expect(clipped.maxRelativeError.isNaN)
    #expect(clipped.qsnr.isNaN)
    let kept = ErrorStatistics(original: [1, .infinity], reconstruction: [1, .infinity])
    #expect(kept.maxAbsoluteError.isNaN)
    #expect(kept.maxRelativeError.isNaN)
  }

  @Test("Only a finite value that is not zero can underflow, however small it is")
  func underflow() {
    let tiny = Float.leastNonzeroMagnitude
    let x: [Float] = [tiny, -tiny, 1, .greatestFiniteMagnitude, 0, -0.0, .infinity, .nan, 2]
    let y: [Float] = [0, -0.0, 0, -0.0, 0, 0, 0, 0, tiny]
    #expect(ErrorStatistics(original: x, reconstruction: y).underflowCount == 4)
  }

  @Test("The extremes of Float neither overflow nor underflow the sums")
  func extremes() {
    let large = Float.greatestFiniteMagnitude
    let tiny = Float.leastNonzeroMagnitude
    let top = ErrorStatistics(original: [large], reconstruction: [-large])
    #expect(top.maxAbsoluteError == 2 * Double(large))
    #expect(top.maxRelativeError == 2)
    #expect(top.cosineSimilarity == -1)
    let bottom = ErrorStatistics(original: [tiny, 2 * tiny], reconstruction: [2 * tiny, 2 * tiny])
    #expect(bottom.maxAbsoluteError == Double(tiny))
    #expect(bottom.maxRelativeError == 1)
    #expect(bottom.sumOfSquares == 5 * Double(tiny) * Double(tiny))
  }
}

extension ErrorStatistics {
  /// Everything derived, in a fixed order.
  var quotients: [Double] {
    [
      qsnr, meanSquaredError, maxAbsoluteError, maxRelativeError, gain, bias, cosineSimilarity,
      underflowPercent, saturationPercent, exactBlockPercent,
    ]
  }

  /// The bits of all members, so that a comparison also sees the last bit and the kind of zero.
  var bits: [UInt64] {
    [
      sumOfSquares, sumOfSquaredErrors, sumOfProducts, sumOfSquaredReconstructions, sumOfErrors,
      Double(count), Double(underflowCount), maxAbsoluteError, maxRelativeError,
    ].map(\.bitPattern)
  }
}
