import BlockFormats

/// What happens to a finished sum: Y = α · sum + bias + β · C, and the number type of the result.
///
/// Each step is one FP32 operation rounded to nearest, ties to even, and is left out where it would
/// change nothing by intent: α = 1, no bias, β = 0. In this order:
///
/// 1. y = fl(y · t), with t the product of the operands' tensor scales, if any: it is rounded to 24
///    bits and its exponent has no limits;
/// 2. y = fl(α · y);
/// 3. y = fl(y + bias), one number for each column of Y;
/// 4. y = fma(β, c, y) with the old contents of Y. With β = 0 they are never read;
/// 5. NaN becomes the canonical NaN, and the result type's rounding to nearest, ties to even.
public struct ProductEpilogue: Sendable {
  /// Multiplies the product.
  public var alpha: Float
  /// Multiplies the old contents of the result.
  public var beta: Float
  /// Added to every row; empty for none.
  public var bias: [Float]

  /// Creates an epilogue.
  public init(alpha: Float = 1, beta: Float = 0, bias: [Float] = []) {
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
  }

  /// The value of one element of the result, before it is rounded to the result's type.
  func value(_ sum: Float, tensorScale: ScaleProduct, column: Int, old: Float) -> Float {
    var y = sum.multiplied(by: tensorScale)
    if alpha != 1 { y *= alpha }
    if !bias.isEmpty { y += bias[column] }
    if beta != 0 { y.addProduct(beta, old) }
    return y.isNaN ? .nan : y
  }
}
