package import BlockFormats

/// An operand of a product: a matrix, or a batch of such.
package enum ProductOperand: Sendable {
  /// FP32 numbers.
  case float32(Tensor)
  /// Codes and scales.
  case quantized(QuantizedMatrix)

  /// The extents: those of the batch, rows, columns.
  package var shape: [Int] {
    switch self {
    case .float32(let tensor): tensor.shape
    case .quantized(let matrix): matrix.shape
    }
  }

  /// What the operand is.
  package var format: OperandFormat {
    switch self {
    case .float32: .float32
    case .quantized(let matrix): .quantized(matrix.format)
    }
  }
}
