import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Lays a right operand out in the memory of its panels.
struct PanelWriter: Sendable {
  private let layout: PanelLayout
  /// Each panel is written by one thread.
  nonisolated(unsafe) private let elements: UnsafeMutablePointer<UInt8>
  nonisolated(unsafe) private let numbers: UnsafeMutablePointer<Float>

  /// The fewest elements worth a thread.
  private static let elementGrain = 1 << 16

  /// The fewest panels worth a thread.
  private var panelGrain: Int {
    max(1, Self.elementGrain / max(ProductKernels.panelColumns * layout.row.depth, 1))
  }

  init(
    _ layout: PanelLayout, elements: UnsafeMutableRawPointer, numbers: UnsafeMutableRawPointer
  ) {
    self.layout = layout
    self.elements = elements.assumingMemoryBound(to: UInt8.self)
    self.numbers = numbers.assumingMemoryBound(to: Float.self)
  }

  /// Lays out a quantized matrix, or a batch.
  ///
  /// - Returns: what the numbers reach.
  func fill(
    _ matrix: QuantizedMatrix, packer: RowPacker, parallelism: Parallelism
  ) -> OperandRange {
    let ranges = MatrixPlanes.with(matrix.storage) { planes in
      nonisolated(unsafe) let planes = planes
      return parallelism.map(count: layout.batchCount * layout.panelCount, grain: panelGrain) {
        panels in
        let memory = PanelPacking(layout, packer)
        var range = OperandRange()
        for panel in panels {
          range.formUnion(
            fill(panel, from: planes, firstRow: layout.rows(of: panel).lowerBound, memory))
        }
        return range
      }
    }
    return OperandRange(unionOf: ranges)
  }

  /// Lays out rows of numbers, which are quantized band by band.
  ///
  /// - Returns: what the numbers reach.
  func fill(
    _ values: MatrixRows, bands: BandQuantizer, levels: TensorQuantizer.Levels,
    packer: RowPacker, parallelism: Parallelism
  ) -> OperandRange {
    let columnCount = layout.columnCount
    let bandCount = (columnCount + bands.bandRows - 1) / bands.bandRows
    let ranges = parallelism.map(count: bandCount, grain: 1) { part in
      let memory = PanelPacking(layout, packer)
      let gathered = AlignedMemory()
      var range = OperandRange()
      for band in part {
        let first = band * bands.bandRows
        let rows = first..<min(first + bands.bandRows, columnCount)
        let quantizer = bands.quantizer(rowCount: rows.count)
        var storage = memory.storage.take() ?? quantizer.makeStorage()
        if storage.shape != quantizer.shape { storage = quantizer.makeStorage() }
        quantizer.encodeBand(
          values.band(rows).denseBytes(gathering: gathered), as: values.type, levels: levels,
          into: &storage)
        MatrixPlanes.with(storage) { planes in
          for row in stride(from: 0, to: rows.count, by: ProductKernels.panelColumns) {
            let panel = (first + row) / ProductKernels.panelColumns
            range.formUnion(fill(panel, from: planes, firstRow: row, memory))
          }
        }
        memory.storage = storage
      }
      return range
    }
    return OperandRange(unionOf: ranges)
  }

  /// Lays out rows of numbers as they are.
  func fill(
    _ values: MatrixRows, matrix: Int, kernels: ProductKernels, parallelism: Parallelism
  ) {
    _ = parallelism.map(count: layout.panelCount, grain: panelGrain) { panels in
      let wide = AlignedMemory()
      for panel in panels {
        // Counted through one matrix, as `values` are.
        var band = values.band(layout.rows(of: panel))
        let count = band.rowCount
        if band.type != .float32 { band = band.widened(into: wide, kernels) }
        kernels.products.pointee.interleave(
          band.base.assumingMemoryBound(to: UInt8.self), 4 * band.stride, count,
          layout.row.depth, elements(matrix * layout.panelCount + panel))
      }
    }
  }

  /// Packs the rows of one panel; what they reach.
  private func fill(
    _ panel: Int, from planes: MatrixPlanes, firstRow: Int, _ memory: PanelPacking
  ) -> OperandRange {
    let count = layout.rows(of: panel).count
    let places = memory.rows.places
    var range = OperandRange()
    for row in 0..<count {
      range.formUnion(
        memory.packer.pack(
          firstRow + row, of: planes, into: places.target(row), scratch: memory.scratch))
    }
    lay(memory.rows, count, as: panel, codes: memory.codes, memory.packer.kernels)
    return range
  }

  /// Memory of one thread for packing panels in turn.
  private final class PanelPacking {
    let packer: RowPacker
    let scratch: PackingScratch
    let rows: PackedRows
    let codes: AlignedMemory
    var storage: QuantizedTensor?

    init(_ layout: PanelLayout, _ packer: RowPacker) {
      // Codes of four bits are laid out as they are.
      self.packer = layout.integers == nil ? packer : packer.keepingCodes
      scratch = PackingScratch(layout.row)
      rows = PackedRows(layout.row)
      rows.reserve(rows: ProductKernels.panelColumns)
      codes = AlignedMemory(byteCount: layout.hasNibbles ? 2 * layout.panelByteCount : 0)
    }
  }

  private func elements(_ panel: Int) -> UnsafeMutablePointer<UInt8> {
    elements + panel * layout.panelByteCount
  }

  /// Lays packed rows out as a panel.
  private func lay(
    _ rows: PackedRows, _ count: Int, as panel: Int, codes: AlignedMemory,
    _ kernels: ProductKernels
  ) {
    let words = layout.row.groupCount * layout.row.wordCount
    let source = UnsafePointer(rows.elements.assumingMemoryBound(to: UInt8.self))
    let products = kernels.products
    if layout.hasNibbles {
      let line = codes.base.assumingMemoryBound(to: UInt8.self)
      products.pointee.interleave(source, rows.stride, count, words, line)
      products.pointee.join_nibbles(line, words, elements(panel))
    } else {
      products.pointee.interleave(source, rows.stride, count, words, elements(panel))
    }
    let numbers = numbers + panel * layout.panelNumberCount
    lay(rows.scales, count, at: numbers, missing: 1)
    if let place = layout.middlePlace, let middles = rows.middles {
      lay(middles, count, at: numbers + place, missing: 0)
    }
    if let place = layout.sumPlace, let sums = rows.sums {
      lay(sums, count, at: numbers + place, missing: 0)
    }
  }

  /// Lays the numbers of the groups of packed rows out as those of a panel.
  private func lay(
    _ source: UnsafeMutablePointer<Float>, _ count: Int, at target: UnsafeMutablePointer<Float>,
    missing: Float
  ) {
    for group in 0..<layout.row.groupCount {
      for column in 0..<ProductKernels.panelColumns {
        target[group * ProductKernels.panelColumns + column] =
          column < count ? source[column * layout.row.groupCount + group] : missing
      }
    }
  }
}
