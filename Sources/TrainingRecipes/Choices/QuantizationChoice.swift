/// How one operand of a product is narrowed.
public enum QuantizationChoice: Hashable, Sendable {
  /// Kept in FP32 as it is.
  case float32
  /// Rounded to BF16, to nearest with ties to even.
  case bfloat16
  /// Encoded in a block format along the product's contraction axis.
  case block(BlockQuantization)

  /// The rotation of the operand before it is narrowed.
  public var transform: OperandTransform? {
    if case .block(let quantization) = self { quantization.transform } else { nil }
  }

  /// The factor on the operand before it is narrowed; the product is divided by it.
  public var premultiplier: Float {
    if case .block(let quantization) = self { quantization.premultiplier } else { 1 }
  }
}
