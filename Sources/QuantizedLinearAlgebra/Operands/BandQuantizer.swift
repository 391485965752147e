import BlockFormats

/// Quantizes a left operand band by band, so that its numbers are read once from memory and its
/// codes never leave the cache.
final class BandQuantizer: Sendable {
  /// Rows of a full band.
  let bandRows: Int
  private let whole: TensorQuantizer
  private let full: TensorQuantizer
  private let last: TensorQuantizer?
  private let shape: [Int]

  /// - Parameters:
  ///   - format: the block format.
  ///   - policy: the choices to quantize by.
  ///   - shape: rows and columns.
  ///   - level: the kernels to run.
  ///   - unit: every band but the last has a multiple of this number of rows.
  init(
    _ format: some BlockFormat, policy: EncodingPolicy, shape: [Int], level: KernelLevel,
    unit: Int = 1
  ) {
    self.shape = shape
    let (rows, columns) = (shape[0], shape[1])
    func quantizer(_ rows: Int) -> TensorQuantizer {
      TensorQuantizer(
        format: format, shape: [rows, columns], policy: policy, parallelism: .threads(1),
        kernels: .level(level))
    }
    var unit = unit
    if case .tile(let rows, _) = format.layout.block { unit *= rows }
    let near = max(1, Self.bandElementCount / max(columns, 1))
    // Random bits belong to indices in the whole tensor, which is then one band.
    if case .stochastic = policy.rounding {
      bandRows = max(rows, 1)
    } else {
      bandRows = max(1, min((max(near / unit, 1)) * unit, max(rows, 1)))
    }
    whole = quantizer(rows)
    full = quantizer(min(bandRows, rows))
    last = rows % bandRows == 0 || rows < bandRows ? nil : quantizer(rows % bandRows)
  }

  /// The elements of a band, about: their FP32 numbers take half of a second-level cache.
  private static let bandElementCount = 1 << 16

  func fits(_ format: some BlockFormat, policy: EncodingPolicy, shape: [Int]) -> Bool {
    shape == self.shape && policy == whole.policy && format.isSame(as: whole.format)
  }

  /// The quantizer of a full band or of the last one.
  func quantizer(rowCount: Int) -> TensorQuantizer {
    if let last, rowCount != bandRows { return last }
    return full
  }

  /// What the bands of a matrix share; only some formats look at the numbers.
  func levels(of rows: MatrixRows, tensorScale: Float?) -> TensorQuantizer.Levels {
    let layout = whole.format.layout
    let readsNumbers = layout.needsStatistics
    let rows = readsNumbers || rows.isDense ? rows : rows.withoutGaps
    let gathered = AlignedMemory()
    return whole.levels(
      of: rows.denseBytes(gathering: gathered), as: rows.type, tensorScale: tensorScale)
  }

  /// The whole matrix encoded and decoded.
  func fakeQuantized(_ rows: MatrixRows, tensorScale: Float?) -> Tensor {
    let gathered = AlignedMemory()
    var storage = whole.makeStorage()
    whole.encode(
      rows.denseBytes(gathering: gathered), as: rows.type, tensorScale: tensorScale,
      into: &storage)
    return storage.dequantized()
  }
}
