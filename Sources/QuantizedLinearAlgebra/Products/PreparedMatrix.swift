public import BlockFormats

/// The right operand of Y = A · Bᵀ, laid out for the kernels: prepare a weight once, multiply it
/// often.
///
/// ```swift
/// let layer = try PreparedMatrix(QuantizedMatrix(w, format: .mxfp4), for: .quantized(.mxfp8E4M3))
/// var y = try layer.product(x)
/// layer.multiply(x, into: &y)
/// ```
///
/// Codes of four bits stay four bits wide, for FP32 and BF16 rows too; other integers take eight or
/// sixteen, FP8 and BF16 elements sixteen, and what else meets FP32 rows 32; each scale becomes an FP32
/// number. `byteCount` is what a product reads of it.
/// It never changes, and copies share its memory. `Builder` prepares matrices of one shape in turn.
public struct PreparedMatrix: Sendable {
  /// What the product is.
  public let definition: ProductDefinition
  /// The extents of B: those of the batch, rows, columns.
  public let shape: [Int]
  /// The instructions that multiply.
  public let kernelLevel: KernelLevel
  let kernels: ProductKernels
  private(set) var panels: Panels
  private(set) var tensorScale: Float = 1

  /// The rows N of B: the columns of Y.
  public var columnCount: Int { panels.layout.columnCount }
  /// The matrices of the batch.
  public var batchCount: Int { panels.layout.batchCount }
  /// The contraction length K.
  public var depth: Int { definition.depth }
  /// The bytes that a product with every matrix of the batch reads.
  public var byteCount: Int { panels.byteCount }

  /// Prepares a quantized matrix.
  ///
  /// - Parameters:
  ///   - b: N x K, or a batch of such.
  ///   - a: the format of the left operands to come. With FP32 ones, B's decoded
  ///     numbers are multiplied in FP32.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Throws: `ProductError.unalignedBlocks`.
  public init(
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
  public init(_ b: Tensor, parallelism: Parallelism = .allCores) throws(ProductError) {
    try self.init(b, level: .best, parallelism: parallelism)
  }

  /// Prepares a matrix for the kernels of a level, for tests and measurements.
  package init(
    _ b: QuantizedMatrix, for a: OperandFormat, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    try self.init(
      ProductDefinition(a: a, b: .quantized(b.format), depth: b.columnCount), shape: b.shape,
      level: level)
    if isDecoded {
      fill(b.storage.dequantized(parallelism: parallelism), parallelism)
    } else {
      panels.fill(b, packer: packer(b.format, shape: b.shape), parallelism: parallelism)
      tensorScale = b.storage.tensorScale ?? 1
    }
  }

  package init(
    _ b: Tensor, level: KernelLevel, parallelism: Parallelism
  ) throws(ProductError) {
    guard b.shape.count >= 2 else { throw .notAMatrix(shape: b.shape) }
    try self.init(
      ProductDefinition(a: .float32, b: .float32, depth: b.shape[b.shape.count - 1]),
      shape: b.shape, level: level)
    fill(b, parallelism)
  }

  /// A matrix of zeros.
  init(_ definition: ProductDefinition, shape: [Int], level: KernelLevel) {
    self.definition = definition
    self.shape = shape
    kernelLevel = level
    kernels = ProductKernels(level)
    let narrow = NarrowElements(definition)
    let row =
      narrow.map { OperandLayout(definition, keeping: $0) }
      ?? OperandLayout(definition, as: .columns, kernels: kernels)
    let (columns, batch) = (shape[shape.count - 2], shape.dropLast(2).reduce(1, *))
    if row.unit != .float32, case .quantized(let format) = definition.b {
      let packer = RowPacker(
        format: format, shape: [columns, definition.depth], layout: row,
        unitExponent: definition.unitExponents.b, kernels: kernels)
      panels = Panels(PanelLayout(packer, columnCount: columns, batchCount: batch))
    } else {
      panels = Panels(PanelLayout(row, columnCount: columns, batchCount: batch))
    }
  }

  /// Whether panels hold FP32 numbers.
  private var isDecoded: Bool { panels.layout.row.unit == .float32 }

  private func packer(_ format: some BlockFormat, shape: [Int]) -> RowPacker {
    RowPacker(
      format: format, shape: shape, layout: panels.layout.row,
      unitExponent: definition.unitExponents.b, kernels: kernels)
  }

  // MARK: - Values

  /// Lays FP32 numbers out, all matrices of the batch.
  private mutating func fill(_ values: Tensor, _ parallelism: Parallelism) {
    let (kernels, rows) = (kernels, MatrixLayout(rowCount: columnCount, columnCount: depth))
    for matrix in 0..<batchCount {
      let count = rows.rowCount * rows.columnCount
      values.elements[matrix * count..<(matrix + 1) * count].withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        panels.fill(
          MatrixRows(base, rows), matrix: matrix, kernels: kernels, parallelism: parallelism)
      }
    }
  }

  /// Lays numbers out for a product with FP32 ones.
  mutating func replace(_ values: MatrixRows, parallelism: Parallelism) {
    panels.fill(values, matrix: 0, kernels: kernels, parallelism: parallelism)
  }

  /// Quantizes numbers and lays them out.
  mutating func replace(
    _ values: MatrixRows, _ format: some BlockFormat, _ bands: BandQuantizer,
    tensorScale given: Float?, parallelism: Parallelism
  ) {
    if isDecoded {
      fill(bands.fakeQuantized(values, tensorScale: given), parallelism)
      return
    }
    let levels = bands.levels(of: values, tensorScale: given)
    panels.fill(
      values, bands: bands, levels: levels, packer: packer(format, shape: [columnCount, depth]),
      parallelism: parallelism)
    tensorScale = format.layout.tensorField == nil ? 1 : levels.tensorScale
  }
}
