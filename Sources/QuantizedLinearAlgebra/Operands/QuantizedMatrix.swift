public import BlockFormats
import CallerChecks

/// A matrix, or a batch of matrices, quantized along its rows: an operand of Y = A · Bᵀ.
///
/// The last axis is the contraction axis and blocks run along it, which is checked here once.
/// Formats with 2-D blocks or one scale for the tensor fit as they are.
public struct QuantizedMatrix: Sendable {
  /// The codes and scales.
  public let storage: QuantizedTensor

  /// Takes a quantized tensor of at least two axes, the last two of which make the matrix.
  ///
  /// - Throws: `ProductError.notAMatrix`, or `ProductError.wrongBlockAxis` where blocks run along
  ///   another axis than the last.
  public init(checking storage: QuantizedTensor) throws(ProductError) {
    guard storage.shape.count >= 2 else { throw .notAMatrix(shape: storage.shape) }
    switch storage.format.layout.block {
    case .vector, .row:
      guard storage.axis == storage.shape.count - 1 else {
        throw .wrongBlockAxis(
          format: storage.format.id, shape: storage.shape, axis: storage.axis)
      }
    case .run, .tile, .tensor: break
    }
    self.storage = storage
  }

  /// Takes a quantized tensor of at least two axes, the last two of which make the matrix.
  ///
  /// - Precondition: blocks run along the last axis.
  public init(_ storage: QuantizedTensor) {
    do throws(ProductError) {
      try self.init(checking: storage)
    } catch {
      refuse(error.description)
    }
  }

  /// Quantizes a matrix, or a batch of matrices, along its rows.
  ///
  /// - Parameters:
  ///   - values: at least two axes.
  ///   - format: the block format.
  ///   - policy: the choices to follow; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - parallelism: how many threads may work; never changes a result.
  public init(
    _ values: Tensor, format: some BlockFormat, policy: EncodingPolicy? = nil,
    tensorScale: Float? = nil, parallelism: Parallelism = .allCores
  ) {
    self.init(
      values.quantized(
        to: format, axis: -1, policy: policy, tensorScale: tensorScale, parallelism: parallelism))
  }

  /// The block format.
  public var format: any BlockFormat { storage.format }
  /// The extents: those of the batch, rows, columns.
  public var shape: [Int] { storage.shape }
  /// The rows of a matrix.
  public var rowCount: Int { shape[shape.count - 2] }
  /// The columns: the contraction length.
  public var columnCount: Int { shape[shape.count - 1] }
  /// The number of matrices.
  public var batchCount: Int { shape.dropLast(2).reduce(1, *) }
}
