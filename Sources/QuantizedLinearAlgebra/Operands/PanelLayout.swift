/// How the rows of a right operand, columns of the product, lie in panels.
struct PanelLayout: Sendable {
  /// How a row lies before it meets the others of its panel.
  let row: OperandLayout
  /// Rows of the operand: columns of the product.
  let columnCount: Int
  /// Matrices of the batch.
  let batchCount: Int
  /// The bytes of codes, where panels keep codes of four bits.
  let nibbles: [Int8]?
  /// The byte that stands for elements of zero, two codes where panels keep these.
  let zeroByte: UInt8

  /// The layout of numbers as they are.
  init(_ row: OperandLayout, columnCount: Int, batchCount: Int) {
    self.row = row
    self.columnCount = columnCount
    self.batchCount = batchCount
    (nibbles, zeroByte) = (nil, 0)
  }

  /// The layout of what a packer packs.
  init(_ packer: RowPacker, columnCount: Int, batchCount: Int) {
    row = packer.layout
    self.columnCount = columnCount
    self.batchCount = batchCount
    // Nibbles hold two words of a group each.
    nibbles = row.wordCount % 2 == 0 ? packer.elements.nibbles : nil
    let zero = nibbles == nil ? packer.elements.zero : packer.elements.keepingCodes.zero
    zeroByte = nibbles == nil ? zero : zero | zero << 4
  }

  /// The panels of a matrix.
  var panelCount: Int {
    (columnCount + ProductKernels.panelColumns - 1) / ProductKernels.panelColumns
  }
  /// The bytes of a panel's elements.
  var panelByteCount: Int {
    row.rowByteCount * ProductKernels.panelColumns / (nibbles == nil ? 1 : 2)
  }
  /// The scales of a panel.
  var panelScaleCount: Int {
    row.unit == .float32 ? 0 : row.groupCount * ProductKernels.panelColumns
  }
  /// Where the values of middle codes follow a panel's scales; `nil` without offsets.
  var middlePlace: Int? { row.middle == nil ? nil : panelScaleCount }
  /// Where the sums of groups follow; `nil` where the rows have no offsets.
  var sumPlace: Int? { row.needsSums ? panelScaleCount * (row.middle == nil ? 1 : 2) : nil }
  /// The numbers of a panel: scales, middle values and sums.
  var panelNumberCount: Int {
    panelScaleCount * (1 + (row.middle == nil ? 0 : 1) + (row.needsSums ? 1 : 0))
  }
  /// The rows of the operand, counted through the batch, that a panel holds.
  func rows(of panel: Int) -> Range<Int> {
    let (matrix, index) = panel.quotientAndRemainder(dividingBy: panelCount)
    let first = index * ProductKernels.panelColumns
    let count = min(ProductKernels.panelColumns, columnCount - first)
    return matrix * columnCount + first..<matrix * columnCount + first + count
  }
}
