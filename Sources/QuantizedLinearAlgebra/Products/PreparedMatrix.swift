public import BlockFormats
import CallerChecks

/// The right operand of Y = A · Bᵀ, laid out for the kernels: prepare a weight once, multiply it
/// often.
///
/// Codes of four bits stay four bits wide, other integers take eight or sixteen, and FP8 and BF16
/// elements sixteen; each scale becomes an FP32 number. `byteCount` is what a product reads of it.
/// Several threads may multiply with it at once, but not while `update` runs.
public final class PreparedMatrix: @unchecked Sendable {
  /// What the product is.
  public let definition: ProductDefinition
  /// The rows of B: the columns of Y.
  public let columnCount: Int
  /// The matrices of the batch.
  public let batchCount: Int
  /// The instructions that multiply.
  public let kernelLevel: KernelLevel
  let panels: Panels
  private(set) var tensorScale: Float = 1
  private var updates: BandQuantizer?
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

  /// Makes room for a matrix of numbers that `update` brings, once or again and again.
  ///
  /// - Parameters:
  ///   - rowCount: the rows N of B.
  ///   - depth: the numbers K of a row.
  ///   - b: what B is multiplied as.
  ///   - a: the format of the left operands to come.
  /// - Throws: `ProductError.unalignedBlocks`, and `.badExtent` for a negative extent.
  public convenience init(
    rowCount: Int, depth: Int, as b: OperandFormat, for a: OperandFormat
  ) throws(ProductError) {
    guard rowCount >= 0 else { throw .badExtent(name: "row count", value: rowCount) }
    try self.init(
      ProductDefinition(a: a, b: b, depth: depth), columnCount: rowCount, batchCount: 1,
      level: .best)
  }

  /// Prepares a matrix for the kernels of a level, for tests and measurements.
  package convenience init(
    _ b: QuantizedMatrix, for a: OperandFormat, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    let definition = try ProductDefinition(
      a: a, b: .quantized(b.format), depth: b.columnCount)
    self.init(definition, columnCount: b.rowCount, batchCount: b.batchCount, level: level)
    if definition.unit == .float32 {
      fill(b.storage.dequantized(parallelism: parallelism), parallelism)
    } else {
      let packer = packer(b.format, shape: b.shape)
      panels.fill(b, packer: packer, parallelism: parallelism)
      tensorScale = b.storage.tensorScale ?? 1
    }
  }

  package convenience init(
    _ b: Tensor, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    guard b.shape.count >= 2 else { throw .notAMatrix(shape: b.shape) }
    let definition = try ProductDefinition(a: .float32, b: .float32, depth: b.shape.last ?? 0)
    self.init(
      definition, columnCount: b.shape[b.shape.count - 2],
      batchCount: b.shape.dropLast(2).reduce(1, *), level: level)
    fill(b, parallelism)
  }

  private init(
    _ definition: ProductDefinition, columnCount: Int, batchCount: Int, level: KernelLevel
  ) {
    self.definition = definition
    self.columnCount = columnCount
    self.batchCount = batchCount
    kernelLevel = level
    kernels = ProductKernels(level)
    let layout = OperandLayout(definition)
    if definition.unit != .float32, case .quantized(let format) = definition.b {
      let packer = RowPacker(
        format: format, as: .columns, shape: [columnCount, definition.depth], layout: layout,
        unitExponent: definition.unitExponents.b, kernels: kernels)
      panels = Panels(packer, columnCount: columnCount, batchCount: batchCount)
    } else {
      panels = Panels(
        layout: layout, columnCount: columnCount, batchCount: batchCount, nibbles: nil)
    }
  }

  private func packer(_ format: some BlockFormat, shape: [Int]) -> RowPacker {
    RowPacker(
      format: format, as: .columns, shape: shape, layout: panels.layout,
      unitExponent: definition.unitExponents.b, kernels: kernels)
  }

  /// Lays FP32 numbers out, all matrices of the batch.
  private func fill(_ values: Tensor, _ parallelism: Parallelism) {
    values.elements.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for matrix in 0..<batchCount {
        panels.fill(
          MatrixRows(
            base + 4 * matrix * columnCount * depth, rowCount: columnCount, columnCount: depth),
          matrix: matrix, kernels: kernels, parallelism: parallelism)
      }
    }
  }

  // MARK: - New values

  /// Replaces the matrix by other numbers of the same shape, in the same memory.
  ///
  /// Where B is quantized, numbers are quantized on the way; the result is that of a matrix prepared
  /// from `QuantizedMatrix` with the same policy.
  ///
  /// - Parameters:
  ///   - values: N x K numbers.
  ///   - policy: the choices to quantize by; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Precondition: the shape is that of this matrix, which is no batch, and no product with it is
  ///   running.
  public func update(
    _ values: MatrixRows, policy: EncodingPolicy? = nil, tensorScale given: Float? = nil,
    parallelism: Parallelism = .allCores
  ) {
    require(
      batchCount == 1 && values.rowCount == columnCount && values.columnCount == depth,
      """
      \(values.rowCount) x \(values.columnCount) numbers for \(batchCount) matrices of \
      \(columnCount) x \(depth)
      """)
    switch definition.b {
    case .float32:
      panels.fill(values, matrix: 0, kernels: kernels, parallelism: parallelism)
    case .quantized(let format):
      let bands = bands(format, policy ?? format.defaultPolicy)
      if definition.unit == .float32 {
        fill(RowSource.fakeQuantized(values, bands.whole, tensorScale: given), parallelism)
        return
      }
      let levels = RowSource.levels(values, bands.whole, tensorScale: given)
      let packer = packer(format, shape: [columnCount, depth])
      panels.fill(
        values, bands: bands, levels: levels, packer: packer, parallelism: parallelism)
      tensorScale = format.layout.tensorField == nil ? 1 : levels.tensorScale
    }
  }

  private func bands(_ format: some BlockFormat, _ policy: EncodingPolicy) -> BandQuantizer {
    if let updates, updates.fits(format, policy: policy, shape: [columnCount, depth]) {
      return updates
    }
    let made = BandQuantizer(
      format, policy: policy, shape: [columnCount, depth], level: kernelLevel,
      unit: ProductKernels.panelColumns)
    updates = made
    return made
  }
}
