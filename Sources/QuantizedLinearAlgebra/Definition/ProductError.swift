/// Why two operands cannot be multiplied.
public enum ProductError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Neither block length is a multiple of the other.
  case unalignedBlocks(a: String, Int, b: String, Int)
  /// Contraction axes of different lengths.
  case depthMismatch(a: [Int], b: [Int])
  /// The blocks of an operand run along another axis than the contraction axis.
  case wrongBlockAxis(format: String, shape: [Int], axis: Int)
  /// An operand is not a matrix.
  case notAMatrix(shape: [Int])
  /// Numbers of matrices in the batches that do not fit.
  case batchMismatch(a: [Int], b: [Int])
  /// An impossible extent.
  case badExtent(name: String, value: Int)

  /// One line with the numbers.
  public var description: String {
    switch self {
    case .unalignedBlocks(let a, let lengthA, let b, let lengthB):
      """
      \(a) has blocks of \(lengthA) elements and \(b) of \(lengthB): neither length is a multiple \
      of the other
      """
    case .depthMismatch(let a, let b):
      "shapes \(a) and \(b) do not share their last extent, which a product contracts"
    case .wrongBlockAxis(let format, let shape, let axis):
      """
      the \(format) blocks of a matrix of shape \(shape) run along axis \(axis), not along \
      the contraction axis \(shape.count - 1)
      """
    case .notAMatrix(let shape): "shape \(shape) has fewer than two axes"
    case .batchMismatch(let a, let b):
      "shapes \(a) and \(b) have batches of different sizes, and neither is one matrix"
    case .badExtent(let name, let value): "\(name) \(value) is not possible"
    }
  }
}
