import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Brings rows of a left operand into the form that kernels read.
///
/// Several threads work on its behalf; the workspace itself is only asked by the one that calls.
struct RowSource: @unchecked Sendable {
  /// Rows that are loaded together begin at multiples of this.
  let bandRows: Int
  /// The decode multiplier of the operand's tensor.
  let tensorScale: Float
  private let way: Way
  private let layout: OperandLayout
  private let prepared: PreparedMatrix
  private let workspace: ProductWorkspace

  private enum Way {
    /// FP32 numbers where they are.
    case inPlace(MatrixRows)
    /// Numbers of another type, or too far from each other, as FP32 numbers.
    case copied(MatrixRows)
    /// Decoded numbers.
    case decoded(Tensor, firstRow: Int)
    /// Codes and scales that exist.
    case packed(QuantizedTensor, firstRow: Int, RowPacker)
    /// Codes and scales made on the way.
    case quantized(MatrixRows, BandQuantizer, TensorQuantizer.Levels, RowPacker)
  }

  init(_ left: LeftOperand, _ run: ProductRun, _ workspace: ProductWorkspace) {
    prepared = run.prepared
    self.workspace = workspace
    layout = run.layout
    let definition = prepared.definition
    func packer(_ format: some BlockFormat, _ shape: [Int]) -> RowPacker {
      workspace.packer(
        format, shape: shape, layout: run.layout, unitExponent: definition.unitExponents.a,
        level: run.prepared.kernelLevel)
    }
    switch left {
    case .floats(let rows):
      (bandRows, tensorScale) = (1, 1)
      way =
        rows.type == .float32 && !RowSource.contend(rows) ? .inPlace(rows) : .copied(rows)
    case .quantized(let matrix, let index):
      bandRows = 1
      let first = index * matrix.rowCount
      if layout.unit == .float32 {
        way = .decoded(matrix.storage.dequantized(parallelism: run.parallelism), firstRow: first)
        tensorScale = 1
      } else {
        way = .packed(matrix.storage, firstRow: first, packer(matrix.format, matrix.shape))
        tensorScale = matrix.storage.tensorScale ?? 1
      }
    case .quantizing(let rows, let format, let policy, let given):
      let shape = [rows.rowCount, rows.columnCount]
      let bands = workspace.bands(
        format, policy: policy, shape: shape, kernels: prepared.kernelLevel)
      if layout.unit == .float32 {
        way = .decoded(RowSource.fakeQuantized(rows, bands.whole, tensorScale: given), firstRow: 0)
        (bandRows, tensorScale) = (1, 1)
      } else {
        bandRows = bands.bandRows
        let levels = RowSource.levels(rows, bands.whole, tensorScale: given)
        tensorScale = format.layout.tensorField == nil ? 1 : levels.tensorScale
        way = .quantized(rows, bands, levels, packer(format, shape))
      }
    }
  }

  /// Whether the rows of a tile fall on the same lines of a first-level cache.
  private static func contend(_ rows: MatrixRows) -> Bool {
    rows.rowCount > 8 && rows.stride * rows.type.byteCount % 1024 == 0
  }

  /// What the bands of a matrix share; only some formats look at the numbers.
  static func levels(
    _ rows: MatrixRows, _ quantizer: TensorQuantizer, tensorScale: Float?
  ) -> TensorQuantizer.Levels {
    let layout = quantizer.format.layout
    let gathered = AlignedMemory()
    let readsNumbers = layout.needsStatistics
    let rows = readsNumbers || rows.isDense ? rows : rows.withoutGaps
    return quantizer.levels(
      of: rows.denseBytes(gathering: gathered), as: rows.type, tensorScale: tensorScale)
  }

  static func fakeQuantized(
    _ rows: MatrixRows, _ quantizer: TensorQuantizer, tensorScale: Float?
  ) -> Tensor {
    let gathered = AlignedMemory()
    var storage = quantizer.makeStorage()
    quantizer.encode(
      rows.denseBytes(gathering: gathered), as: rows.type, tensorScale: tensorScale,
      into: &storage)
    return storage.dequantized()
  }

  /// Loads rows; they stay until the next are loaded.
  func load(_ rows: Range<Int>, _ parallelism: Parallelism) -> ProductRun.Block {
    switch way {
    case .inPlace(let source):
      let band = source.band(rows)
      return ProductRun.Block(
        operand: BKRows(
          elements: band.base.assumingMemoryBound(to: UInt8.self), stride: 4 * band.stride,
          scales: nil, offsets: nil, rows: rows.count),
        scaleProduct: .multiplied)
    case .copied(let source):
      let packed = workspace.rows(layout)
      packed.reserve(rows: rows.count)
      let kernels = prepared.kernels
      parallelism.share(rows.count) { _, row in
        kernels.blocks.pointee.widen(
          source.type.code, source.row(rows.lowerBound + row), layout.depth,
          packed.target(row).elements.assumingMemoryBound(to: Float.self))
      }
      return ProductRun.Block(
        operand: packed.operand(0..<rows.count), scaleProduct: .multiplied)
    case .decoded(let tensor, let firstRow):
      let packed = workspace.rows(layout)
      packed.reserve(rows: rows.count)
      tensor.elements.withUnsafeBytes { bytes in
        nonisolated(unsafe) let bytes = bytes
        parallelism.share(rows.count) { _, row in
          guard let base = bytes.baseAddress else { return }
          packed.target(row).elements.copyMemory(
            from: base + (firstRow + rows.lowerBound + row) * 4 * layout.depth,
            byteCount: 4 * layout.depth)
        }
      }
      return ProductRun.Block(
        operand: packed.operand(0..<rows.count), scaleProduct: .multiplied)
    case .packed(let tensor, let firstRow, let packer):
      return MatrixPlanes.with(tensor) { planes in
        nonisolated(unsafe) let planes = planes
        return pack(rows, parallelism, bandRows: RowSource.packedBandRows) { band, packed, memory in
          var range = ScaleRange()
          for row in band {
            range.formUnion(
              packer.pack(
                firstRow + rows.lowerBound + row, of: planes, into: packed.target(row),
                scratch: memory.packing))
          }
          return range
        }
      }
    case .quantized(let source, let bands, let levels, let packer):
      return pack(rows, parallelism, bandRows: bands.bandRows) { band, packed, memory in
        quantize(
          source.band(rows.lowerBound + band.lowerBound..<rows.lowerBound + band.upperBound),
          bands.quantizer(rows: band.count), levels, packer, memory)
        guard let storage = memory.storage else { return ScaleRange() }
        return MatrixPlanes.with(storage) { planes in
          var range = ScaleRange()
          for row in 0..<band.count {
            range.formUnion(
              packer.pack(
                row, of: planes, into: packed.target(band.lowerBound + row),
                scratch: memory.packing))
          }
          return range
        }
      }
    }
  }

  private static let packedBandRows = 32

  /// Packs rows band by band.
  ///
  /// - Parameter packBand: packs a band and says what its scales reach.
  private func pack(
    _ rows: Range<Int>, _ parallelism: Parallelism, bandRows: Int,
    _ packBand: @Sendable (Range<Int>, PackedRows, ProductWorkspace.Worker) -> ScaleRange
  ) -> ProductRun.Block {
    let packed = workspace.rows(layout)
    packed.reserve(rows: rows.count)
    let bandCount = (rows.count + bandRows - 1) / bandRows
    let workers = workspace.workers(parallelism.workerCount(forItems: bandCount), layout)
    nonisolated(unsafe) let ranges = workspace.ranges.reserve(bandCount, of: ScaleRange.self)
    parallelism.share(bandCount) { worker, band in
      let range = band * bandRows..<min((band + 1) * bandRows, rows.count)
      ranges[band] = packBand(range, packed, workers[worker])
    }
    let definition = prepared.definition
    let product = ScaleRange(unionOf: UnsafeBufferPointer(start: ranges, count: bandCount))
      .product(with: prepared.panels.scaleRange, definition)
    packed.finishScales(
      rows: rows.count, for: product, unitExponent: definition.scaleExponent)
    return ProductRun.Block(
      operand: packed.operand(0..<rows.count), scaleProduct: product)
  }

  /// Encodes a band into the worker's storage.
  private func quantize(
    _ band: MatrixRows, _ quantizer: TensorQuantizer, _ levels: TensorQuantizer.Levels,
    _ packer: RowPacker, _ memory: ProductWorkspace.Worker
  ) {
    let values = band.denseBytes(gathering: memory.gathered)
    // Taken out, so that its arrays have one owner and are written in place.
    var storage = memory.storage.take() ?? quantizer.makeStorage()
    if storage.shape != quantizer.shape || !storage.format.isSame(as: quantizer.format) {
      storage = quantizer.makeStorage()
    }
    quantizer.encodeBand(values, as: band.type, levels: levels, into: &storage)
    memory.storage = storage
  }
}
