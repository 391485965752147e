import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Brings rows of a left operand into the form that kernels read.
struct RowSource {
  /// Rows that are loaded together begin at multiples of this.
  let bandRows: Int
  /// The decode multiplier of the operand's tensor.
  let tensorScale: Float
  private let way: Way

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

  init(_ left: LeftOperand, for run: ProductRun) {
    func packer(_ format: some BlockFormat, _ shape: [Int]) -> RowPacker {
      run.workspace.packer(
        format, shape: shape, layout: run.layout,
        unitExponent: run.prepared.definition.unitExponents.a, level: run.prepared.kernelLevel)
    }
    let isFloat = run.layout.unit == .float32
    switch left {
    case .floats(let rows):
      (bandRows, tensorScale) = (1, 1)
      way =
        rows.type == .float32 && !RowSource.contend(rows) ? .inPlace(rows) : .copied(rows)
    case .quantized(let matrix, let index):
      bandRows = 1
      let first = index * matrix.rowCount
      if isFloat {
        way = .decoded(matrix.storage.dequantized(parallelism: run.parallelism), firstRow: first)
        tensorScale = 1
      } else {
        way = .packed(matrix.storage, firstRow: first, packer(matrix.format, matrix.shape))
        tensorScale = matrix.storage.tensorScale ?? 1
      }
    case .quantizing(let rows, let format, let policy, let given):
      let shape = [rows.rowCount, rows.columnCount]
      let bands = run.workspace.bands(
        format, policy: policy, shape: shape, kernels: run.prepared.kernelLevel)
      if isFloat {
        way = .decoded(bands.fakeQuantized(rows, tensorScale: given), firstRow: 0)
        (bandRows, tensorScale) = (1, 1)
      } else {
        bandRows = bands.bandRows
        let levels = bands.levels(of: rows, tensorScale: given)
        tensorScale = format.layout.tensorField == nil ? 1 : levels.tensorScale
        way = .quantized(rows, bands, levels, packer(format, shape))
      }
    }
  }

  /// Whether the rows of a tile fall on the same lines of a first-level cache.
  private static func contend(_ rows: MatrixRows) -> Bool {
    rows.rowCount > cacheWays && rows.stride * rows.type.byteCount % contendingByteCount == 0
  }

  /// Lines that a set of such a cache holds.
  private static let cacheWays = 8
  /// Rows at multiples of this distance begin in few of the sets, which repeat after 4 KiB.
  private static let contendingByteCount = 1024

  /// Loads rows; they stay until the next are loaded.
  func load(_ rows: Range<Int>, for run: ProductRun) -> ProductRun.Block {
    let layout = run.layout
    switch way {
    case .inPlace(let source):
      let band = source.band(rows)
      return ProductRun.Block(
        operand: BKRows(
          elements: band.base.assumingMemoryBound(to: UInt8.self), stride: 4 * band.stride,
          scales: nil, offsets: nil, middles: nil, sums: nil, rows: rows.count),
        meeting: .ofFloats)
    case .copied(let source):
      let packed = run.workspace.rows(layout)
      packed.reserve(rows: rows.count)
      let (places, kernels, depth) = (packed.places, run.prepared.kernels, layout.depth)
      run.parallelism.share(rows.count) { _, row in
        kernels.blocks.pointee.widen(
          source.type.code, source.row(rows.lowerBound + row), depth,
          places.target(row).elements.assumingMemoryBound(to: Float.self))
      }
      return ProductRun.Block(
        operand: packed.operand(rowCount: rows.count), meeting: .ofFloats)
    case .decoded(let tensor, let firstRow):
      let packed = run.workspace.rows(layout)
      packed.reserve(rows: rows.count)
      let places = packed.places
      let decoded = MatrixLayout(
        rowCount: tensor.elements.count / max(layout.depth, 1), columnCount: layout.depth)
      MatrixRows.with(tensor.elements, decoded) { decoded in
        run.parallelism.share(rows.count) { _, row in
          places.target(row).elements.copyMemory(
            from: decoded.row(firstRow + rows.lowerBound + row),
            byteCount: 4 * decoded.columnCount)
        }
      }
      return ProductRun.Block(
        operand: packed.operand(rowCount: rows.count), meeting: .ofFloats)
    case .packed(let tensor, let firstRow, let packer):
      return MatrixPlanes.with(tensor) { planes in
        nonisolated(unsafe) let planes = planes
        return pack(rows, for: run, bandRows: RowSource.packedBandRows) { band, places, memory in
          var range = OperandRange()
          for row in band {
            range.formUnion(
              packer.pack(
                firstRow + rows.lowerBound + row, of: planes, into: places.target(row),
                scratch: memory.packing))
          }
          return range
        }
      }
    case .quantized(let source, let bands, let levels, let packer):
      return pack(rows, for: run, bandRows: bands.bandRows) { band, places, memory in
        let storage = memory.quantize(
          source.band(rows.lowerBound + band.lowerBound..<rows.lowerBound + band.upperBound),
          bands.quantizer(rowCount: band.count), levels)
        return MatrixPlanes.with(storage) { planes in
          var range = OperandRange()
          for row in 0..<band.count {
            range.formUnion(
              packer.pack(
                row, of: planes, into: places.target(band.lowerBound + row),
                scratch: memory.packing))
          }
          return range
        }
      }
    }
  }

  /// Rows of a band of codes that exist: enough for a thread to take at a time.
  private static let packedBandRows = 32

  /// Packs rows band by band.
  ///
  /// - Parameter packBand: packs a band and says what it reaches.
  private func pack(
    _ rows: Range<Int>, for run: ProductRun, bandRows: Int,
    _ packBand: @Sendable (Range<Int>, PackedRows.Places, ProductWorkspace.Worker) -> OperandRange
  ) -> ProductRun.Block {
    let (workspace, parallelism) = (run.workspace, run.parallelism)
    let packed = workspace.rows(run.layout)
    packed.reserve(rows: rows.count)
    let places = packed.places
    let bandCount = (rows.count + bandRows - 1) / bandRows
    // Each element is written by one thread.
    nonisolated(unsafe) let ranges = workspace.ranges.reserve(bandCount, of: OperandRange.self)
    parallelism.share(
      bandCount, among: workspace.workers(parallelism.workerCount(forItems: bandCount), run.layout)
    ) { memory, band in
      ranges[band] = packBand(
        band * bandRows..<min((band + 1) * bandRows, rows.count), places, memory)
    }
    let meeting = OperandRange(unionOf: UnsafeBufferPointer(start: ranges, count: bandCount))
      .meeting(run.prepared.panels.range, run.prepared.definition)
    packed.finishScales(
      rows: rows.count, for: meeting.scaleProduct,
      unitExponent: run.prepared.definition.scaleExponent)
    return ProductRun.Block(
      operand: packed.operand(rowCount: rows.count), meeting: meeting)
  }
}
