import BlockFormats

/// The left operand of a product, as the caller has it.
enum LeftOperand {
  /// A matrix of a quantized batch.
  case quantized(QuantizedMatrix, index: Int)
  /// Numbers to be quantized on the way.
  case quantizing(MatrixRows, any BlockFormat, EncodingPolicy, tensorScale: Float?)
  /// Numbers for FP32 products.
  case floats(MatrixRows)

  var rowCount: Int {
    switch self {
    case .quantized(let matrix, _): matrix.rowCount
    case .quantizing(let rows, _, _, _), .floats(let rows): rows.rowCount
    }
  }
}
