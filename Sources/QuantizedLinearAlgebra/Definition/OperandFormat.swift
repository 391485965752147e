public import BlockFormats

/// What one operand of a product is.
public enum OperandFormat: Sendable {
  /// FP32 numbers, as they are.
  case float32
  /// A block format whose blocks run along the contraction axis.
  case quantized(any BlockFormat)

  /// The format's id; `fp32` for FP32.
  public var id: String {
    switch self {
    case .float32: "fp32"
    case .quantized(let format): format.id
    }
  }
}
