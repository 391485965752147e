import Foundation

extension ErrorStatistics {
  /// The quantization signal-to-noise ratio in dB, 10 log10(Σx² / Σ(y - x)²).
  ///
  /// This is the ratio of sums over all pairs; ``VectorErrorStatistics`` has the mean over vectors.
  ///
  /// Edge cases: +Infinity for an exact reconstruction; NaN for no pair, for all-zero input (also
  /// with a reconstruction that is not zero), and where a NaN or an infinity is in the input;
  /// -Infinity for finite input with an infinite reconstruction.
  public var qsnr: Double {
    sumOfSquares == 0 ? .nan : 10 * log10(sumOfSquares / sumOfSquaredErrors)
  }

  /// The mean squared error Σ(y - x)² / n, in the square of the input's unit; NaN for no pair.
  public var meanSquaredError: Double { sumOfSquaredErrors / Double(count) }

  /// The largest |y - x|, in the input's unit; NaN for no pair or where any y - x is NaN.
  public var maxAbsoluteError: Double { count == 0 ? .nan : largestError }

  /// The largest |y - x| / |x| over the pairs with x ≠ 0, as a ratio.
  ///
  /// Edge cases: NaN if no x differs from zero, if any y - x is NaN, or if any x is infinite. At
  /// least 1 as soon as one value underflows to zero.
  public var maxRelativeError: Double {
    // Squares of Float values never underflow in Double, so the sum is zero only if every x is.
    sumOfSquares == 0 ? .nan : largestRelativeError
  }

  /// The gain Σxy / Σx²: the slope of the least-squares line y = gain · x through the origin.
  ///
  /// 1 for a reconstruction whose error is orthogonal to the input; below 1 where the format shrinks
  /// values. NaN for no pair and for all-zero input.
  public var gain: Double { sumOfProducts / sumOfSquares }

  /// The mean signed error Σ(y - x) / n, in the input's unit; NaN for no pair.
  public var bias: Double { sumOfErrors / Double(count) }

  /// The cosine of the angle between input and reconstruction, Σxy / √(Σx² · Σy²), in -1...1.
  ///
  /// A quotient that rounding carried past ±1 is clamped. NaN for no pair and where the input or the
  /// reconstruction is all zero.
  public var cosineSimilarity: Double {
    let cosine = sumOfProducts / (sumOfSquares * sumOfSquaredReconstructions).squareRoot()
    return cosine.magnitude > 1 && cosine.isFinite ? (cosine < 0 ? -1 : 1) : cosine
  }

  /// The share of pairs with x finite and not zero but y zero, 100 · underflowCount / n, in percent;
  /// NaN for no pair.
  public var underflowPercent: Double { 100 * Double(underflowCount) / Double(count) }

  /// The share of clipped elements, 100 · saturatedCount / n, in percent; NaN for no pair.
  public var saturationPercent: Double { 100 * Double(saturatedCount) / Double(count) }

  /// The share of blocks reconstructed exactly, 100 · exactBlockCount / blockCount, in percent; NaN
  /// for no block.
  public var exactBlockPercent: Double { 100 * Double(exactBlockCount) / Double(blockCount) }
}
