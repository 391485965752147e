import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// The right operand laid out in panels of columns, for products with many left operands.
final class Panels: @unchecked Sendable {
  let layout: OperandLayout
  /// Rows of the operand: columns of the product.
  let columnCount: Int
  /// Matrices of the batch.
  let batchCount: Int
  /// The integers of codes, where panels keep codes of four bits.
  let nibbles: [Int8]?
  /// What the scales of all matrices reach.
  private(set) var scaleRange = ScaleRange()
  private let elements: AlignedMemory
  private let scales: AlignedMemory

  /// The panels of a matrix.
  var panelCount: Int {
    (columnCount + ProductKernels.panelColumns - 1) / ProductKernels.panelColumns
  }
  /// The bytes that multiplying reads for a matrix.
  var byteCount: Int { elements.byteCount + scales.byteCount }

  private var panelByteCount: Int {
    layout.rowByteCount * ProductKernels.panelColumns / (nibbles == nil ? 1 : 2)
  }
  private var panelScaleCount: Int {
    layout.unit == .float32 ? 0 : layout.groupCount * ProductKernels.panelColumns
  }

  /// Panels without contents.
  init(layout: OperandLayout, columnCount: Int, batchCount: Int, nibbles: [Int8]?) {
    self.layout = layout
    self.columnCount = columnCount
    self.batchCount = batchCount
    self.nibbles = nibbles
    let columns = ProductKernels.panelColumns
    let panels = batchCount * ((columnCount + columns - 1) / columns)
    let panelBytes = layout.rowByteCount * columns / (nibbles == nil ? 1 : 2)
    elements = AlignedMemory(byteCount: panels * panelBytes)
    let scaleCount = layout.unit == .float32 ? 0 : layout.groupCount * columns
    scales = AlignedMemory(byteCount: 4 * panels * scaleCount)
  }

  /// Panels without contents for what a packer packs.
  convenience init(_ packer: RowPacker, columnCount: Int, batchCount: Int) {
    // Nibbles hold two words of a group each.
    self.init(
      layout: packer.layout, columnCount: columnCount, batchCount: batchCount,
      nibbles: packer.layout.wordCount % 2 == 0 ? packer.elements.nibbles : nil)
  }

  /// Lays out a quantized matrix, or a batch.
  func fill(_ matrix: QuantizedMatrix, packer: RowPacker, parallelism: Parallelism) {
    let ranges = MatrixPlanes.with(matrix.storage) { planes in
      nonisolated(unsafe) let planes = planes
      return forPanels(parallelism) { panels in
        let memory = PanelPacking(self, packer)
        var range = ScaleRange()
        for panel in panels {
          range.formUnion(fill(panel, from: planes, firstRow: rows(of: panel).first, memory))
        }
        return range
      }
    }
    scaleRange = ScaleRange(unionOf: ranges)
  }

  /// Lays out rows of numbers, which are quantized band by band.
  func fill(
    _ values: MatrixRows, bands: BandQuantizer, levels: TensorQuantizer.Levels,
    packer: RowPacker, parallelism: Parallelism
  ) {
    let bandCount = (columnCount + bands.bandRows - 1) / bands.bandRows
    let ranges = parallelism.map(count: bandCount, grain: 1) { part in
      let memory = PanelPacking(self, packer)
      let gathered = AlignedMemory()
      var range = ScaleRange()
      for band in part {
        let first = band * bands.bandRows
        let rows = first..<min(first + bands.bandRows, columnCount)
        let quantizer = bands.quantizer(rows: rows.count)
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
    scaleRange = ScaleRange(unionOf: ranges)
  }

  /// Lays out rows of numbers as they are.
  func fill(
    _ values: MatrixRows, matrix: Int, kernels: ProductKernels, parallelism: Parallelism
  ) {
    _ = parallelism.map(count: panelCount, grain: panelGrain) { panels in
      let wide = AlignedMemory()
      for panel in panels {
        let (first, count) = (
          panel * ProductKernels.panelColumns, rows(of: panel).count
        )
        var band = values.band(first..<first + count)
        if band.type != .float32 { band = band.widened(into: wide, kernels) }
        kernels.products.pointee.interleave(
          band.base.assumingMemoryBound(to: UInt8.self), 4 * band.stride, count, layout.depth,
          bytes(matrix * panelCount + panel))
      }
    }
  }

  /// Packs the rows of one panel; what their scales reach.
  private func fill(
    _ panel: Int, from planes: MatrixPlanes, firstRow: Int, _ memory: PanelPacking
  ) -> ScaleRange {
    let count = rows(of: panel).count
    var range = ScaleRange()
    for row in 0..<count {
      range.formUnion(
        memory.packer.pack(
          firstRow + row, of: planes, into: memory.rows.target(row), scratch: memory.scratch))
    }
    lay(memory.rows, count, as: panel, codes: memory.codes, memory.packer.kernels)
    return range
  }

  /// Memory for packing panels one after the other.
  private final class PanelPacking {
    let packer: RowPacker
    let scratch: PackingScratch
    let rows: PackedRows
    let codes: AlignedMemory
    var storage: QuantizedTensor?

    init(_ panels: Panels, _ packer: RowPacker) {
      // Codes of four bits are laid out as they are.
      self.packer = panels.nibbles == nil ? packer : packer.keepingCodes
      scratch = PackingScratch(panels.layout)
      rows = PackedRows(panels.layout)
      rows.reserve(rows: ProductKernels.panelColumns)
      codes = AlignedMemory(byteCount: panels.nibbles == nil ? 0 : 2 * panels.panelByteCount)
    }
  }

  /// A panel, counted through the batch, as the kernels take it.
  func operand(_ panel: Int) -> BKColumns {
    BKColumns(
      elements: UnsafePointer(bytes(panel)),
      scales: layout.unit == .float32 ? nil : UnsafePointer(scales(panel)))
  }

  private func bytes(_ panel: Int) -> UnsafeMutablePointer<UInt8> {
    (elements.base + panel * panelByteCount).assumingMemoryBound(to: UInt8.self)
  }

  private func scales(_ panel: Int) -> UnsafeMutablePointer<Float> {
    scales.base.assumingMemoryBound(to: Float.self) + panel * panelScaleCount
  }

  /// The rows of the operand, counted through the batch, that a panel holds.
  private func rows(of panel: Int) -> (first: Int, count: Int) {
    let (matrix, index) = panel.quotientAndRemainder(dividingBy: panelCount)
    let first = index * ProductKernels.panelColumns
    return (
      matrix * columnCount + first, min(ProductKernels.panelColumns, columnCount - first)
    )
  }

  private func forPanels<Part: Sendable>(
    _ parallelism: Parallelism, _ body: @Sendable (Range<Int>) -> Part
  ) -> [Part] {
    parallelism.map(count: batchCount * panelCount, grain: panelGrain, body)
  }

  /// The fewest panels worth a thread.
  private var panelGrain: Int {
    max(1, (1 << 16) / max(ProductKernels.panelColumns * layout.depth, 1))
  }

  /// Lays packed rows out as a panel.
  private func lay(
    _ rows: PackedRows, _ count: Int, as panel: Int, codes: AlignedMemory,
    _ kernels: ProductKernels
  ) {
    let words = layout.groupCount * layout.wordCount
    let source = UnsafePointer(rows.elements.assumingMemoryBound(to: UInt8.self))
    let products = kernels.products
    if nibbles == nil {
      products.pointee.interleave(source, rows.stride, count, words, bytes(panel))
    } else {
      let line = codes.base.assumingMemoryBound(to: UInt8.self)
      products.pointee.interleave(source, rows.stride, count, words, line)
      products.pointee.join_nibbles(line, words, bytes(panel))
    }
    let factors = scales(panel)
    for group in 0..<layout.groupCount {
      for column in 0..<ProductKernels.panelColumns {
        factors[group * ProductKernels.panelColumns + column] =
          column < count ? rows.scales[column * layout.groupCount + group] : 1
      }
    }
  }
}
