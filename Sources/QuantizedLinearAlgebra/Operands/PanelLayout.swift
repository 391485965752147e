/// How the rows of a right operand, columns of the product, lie in panels.
struct PanelLayout: Sendable {
  /// How a row lies before it meets the others of its panel.
  let row: OperandLayout
  /// Rows of the operand: columns of the product.
  let columnCount: Int
  /// Matrices of the batch.
  let batchCount: Int
  /// Whether panels keep codes of four bits.
  let hasNibbles: Bool
  /// The bytes that such codes stand for, where the unit is that of 8-bit integers.
  let integers: [Int8]?
  /// The byte that stands for elements of zero, two codes where panels keep these.
  let zeroByte: UInt8

  /// The layout of numbers as they are.
  init(_ row: OperandLayout, columnCount: Int, batchCount: Int) {
    self.row = row
    self.columnCount = columnCount
    self.batchCount = batchCount
    (hasNibbles, integers, zeroByte) = (false, nil, 0)
  }

  /// The layout of what a packer packs.
  init(_ packer: RowPacker, columnCount: Int, batchCount: Int) {
    row = packer.layout
    self.columnCount = columnCount
    self.batchCount = batchCount
    let elements = packer.elements
    // Nibbles hold two words of a group each.
    if row.narrow == nil {
      integers = row.wordCount % 2 == 0 ? elements.nibbles : nil
      hasNibbles = integers != nil
    } else {
      integers = nil
      hasNibbles = row.narrow?.isCodes == true
    }
    let zero = integers == nil ? elements.zero : elements.keepingCodes.zero
    zeroByte = hasNibbles ? zero | zero << 4 : zero
  }

  /// The panels of a matrix.
  var panelCount: Int {
    (columnCount + ProductKernels.panelColumns - 1) / ProductKernels.panelColumns
  }
  /// The bytes of a panel's elements.
  var panelByteCount: Int {
    row.rowByteCount * ProductKernels.panelColumns / (hasNibbles ? 2 : 1)
  }
  /// The scales of a panel.
  var panelScaleCount: Int {
    row.unit == .float32 ? 0 : row.groupCount * ProductKernels.panelColumns
  }
  /// Where the values of middle codes, or offsets, follow a panel's scales; `nil` without such.
  var middlePlace: Int? { row.hasMiddles ? panelScaleCount : nil }
  /// Where the sums of groups follow; `nil` where the rows have no offsets.
  var sumPlace: Int? { row.needsSums ? panelScaleCount * (row.hasMiddles ? 2 : 1) : nil }
  /// The numbers of a panel: scales, middle values and sums.
  var panelNumberCount: Int {
    panelScaleCount * (1 + (row.hasMiddles ? 1 : 0) + (row.needsSums ? 1 : 0))
  }
  /// The rows of the operand, counted through the batch, that a panel holds.
  func rows(of panel: Int) -> Range<Int> {
    let (matrix, index) = panel.quotientAndRemainder(dividingBy: panelCount)
    let first = index * ProductKernels.panelColumns
    let count = min(ProductKernels.panelColumns, columnCount - first)
    return matrix * columnCount + first..<matrix * columnCount + first + count
  }
}
