public import BlockFormats

/// The right operand of Y = A · Bᵀ, laid out for the kernels: prepare a weight once, multiply it
/// often.
///
/// Codes of four bits stay four bits wide, other integers take eight or sixteen, and FP8 and BF16
/// elements sixteen; each scale becomes an FP32 number. `byteCount` is what a product reads of it.
public final class PreparedMatrix: Sendable {
  /// What the product is.
  public let definition: ProductDefinition
  /// The rows of B: the columns of Y.
  public let columnCount: Int
  /// The matrices of the batch.
  public let batchCount: Int
  /// The instructions that multiply.
  public let kernelLevel: KernelLevel
  let panels: Panels
  let tensorScale: Float
  let kernels: ProductKernels

  /// The contraction length K.
  public var depth: Int { definition.depth }
  /// The bytes that a product with every matrix of the batch reads.
  public var byteCount: Int { panels.byteCount }

  /// Prepares a quantized matrix.
  ///
  /// - Parameters:
  ///   - b: N x K, or a batch of such.
  ///   - a: the format of the left operands to come. With FP32 ones, B is decoded and multiplied
  ///     in FP32.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Throws: `ProductError.unalignedBlocks`.
  public convenience init(
    _ b: QuantizedMatrix, for a: OperandFormat, parallelism: Parallelism = .allCores
  ) throws(ProductError) {
    try self.init(b, for: a, level: .best, parallelism: parallelism)
  }

  /// Prepares FP32 numbers, for FP32 left operands.
  ///
  /// - Parameters:
  ///   - b: N x K, or a batch of such.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Throws: `ProductError.notAMatrix`.
  public convenience init(
    _ b: Tensor, parallelism: Parallelism = .allCores
  ) throws(ProductError) {
    try self.init(b, level: .best, parallelism: parallelism)
  }

  /// Prepares a matrix for the kernels of a level, for tests and measurements.
  package init(
    _ b: QuantizedMatrix, for a: OperandFormat, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    definition = try ProductDefinition(a: a, b: .quantized(b.format), depth: b.columnCount)
    (columnCount, batchCount, kernelLevel) = (b.rowCount, b.batchCount, level)
    kernels = ProductKernels(level)
    let layout = OperandLayout(definition)
    if definition.unit == .float32 {
      panels = Panels(
        b.storage.dequantized(parallelism: parallelism).elements, columnCount: b.rowCount,
        batchCount: b.batchCount, layout: layout, kernels: kernels, parallelism: parallelism)
      tensorScale = 1
    } else {
      let packer = RowPacker(
        format: b.format, shape: b.shape, layout: layout,
        unitExponent: definition.unitExponents.b, kernels: kernels)
      panels = Panels(b, packer: packer, parallelism: parallelism)
      tensorScale = b.storage.tensorScale ?? 1
    }
  }

  package init(
    _ b: Tensor, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    guard b.shape.count >= 2 else { throw .notAMatrix(shape: b.shape) }
    definition = try ProductDefinition(a: .float32, b: .float32, depth: b.shape.last ?? 0)
    columnCount = b.shape[b.shape.count - 2]
    batchCount = b.shape.dropLast(2).reduce(1, *)
    kernelLevel = level
    kernels = ProductKernels(level)
    panels = Panels(
      b.elements, columnCount: columnCount, batchCount: batchCount,
      layout: OperandLayout(definition), kernels: kernels, parallelism: parallelism)
    tensorScale = 1
  }
}
