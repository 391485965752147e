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
  /// Whether all factors are powers of two of which any two have a normal product.
  private(set) var areTame = true
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

  private init(layout: OperandLayout, columnCount: Int, batchCount: Int, nibbles: [Int8]?) {
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

  /// Lays out a quantized matrix.
  convenience init(_ matrix: QuantizedMatrix, packer: RowPacker, parallelism: Parallelism) {
    let layout = packer.layout
    // Nibbles hold two words of a group each.
    let nibbles = layout.wordCount % 2 == 0 ? packer.elements.nibbles : nil
    self.init(
      layout: layout, columnCount: matrix.rowCount, batchCount: matrix.batchCount,
      nibbles: nibbles)
    // Codes of four bits are laid out as they are.
    let packer = nibbles == nil ? packer : packer.keepingCodes
    let tame = MatrixPlanes.with(matrix.storage) { planes in
      nonisolated(unsafe) let planes = planes
      return forPanels(parallelism) { panels in
        let scratch = PackingScratch(layout)
        let rows = PackedRows(layout)
        rows.reserve(rows: ProductKernels.panelColumns)
        let codes = AlignedMemory(byteCount: self.nibbles == nil ? 0 : 2 * self.panelByteCount)
        var areTame = true
        for panel in panels {
          let (first, count) = self.rows(of: panel)
          for row in 0..<count {
            let isTame = packer.pack(
              first + row, of: planes, into: rows.target(row), scratch: scratch)
            areTame = areTame && isTame
          }
          self.lay(rows, count, as: panel, codes: codes, packer.kernels)
        }
        return areTame
      }
    }
    areTame = !tame.contains(false)
  }

  /// Lays out a matrix of FP32 numbers, each row of `depth` of them.
  convenience init(
    _ values: [Float], columnCount: Int, batchCount: Int, layout: OperandLayout,
    kernels: ProductKernels, parallelism: Parallelism
  ) {
    self.init(layout: layout, columnCount: columnCount, batchCount: batchCount, nibbles: nil)
    values.withUnsafeBytes { values in
      nonisolated(unsafe) let values = values
      _ = forPanels(parallelism) { panels in
        for panel in panels {
          let (first, count) = self.rows(of: panel)
          guard let base = values.baseAddress else { continue }
          let rows = (base + 4 * first * layout.depth).assumingMemoryBound(to: UInt8.self)
          kernels.products.pointee.interleave(
            rows, 4 * layout.depth, count, layout.depth, self.bytes(panel))
        }
      }
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
    parallelism.map(
      count: batchCount * panelCount,
      grain: max(1, 1 << 16 / max(ProductKernels.panelColumns * layout.depth, 1)), body)
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
