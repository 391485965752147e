import BlockFormats
public import QuantizedLinearAlgebra

extension QuantizationChoice {
  /// What products see of an operand with this choice.
  public var operandFormat: OperandFormat {
    switch self {
    case .float32: .float32
    case .bfloat16: .quantized(CastFormat.cast(to: .bf16))
    case .block(let block): .quantized(block.format)
    }
  }

  /// Whether every row is narrowed by itself and without random bits, from FP32: what a scan can do
  /// with its states.
  var suitsState: Bool {
    guard case .block(let block) = self else { return true }
    let layout = block.format.layout
    switch layout.block {
    case .run, .tile, .tensor: return false
    case .vector, .row: break
    }
    return layout.tensorField == nil && block.stochasticBitCount == nil
      && block.source == .float32
  }
}
