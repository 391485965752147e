/// Cuts a tensor into panels for kernels.
///
/// A panel is a rectangle of the tensor that holds whole blocks, begins and ends on byte boundaries
/// of every packed plane, and mostly fits a cache: a part of a row where blocks run along rows, else
/// some columns of the rows of one block.
struct PanelGrid: Sendable {
  /// The number of panels.
  let count: Int
  /// The elements of a block in a row of its panel.
  let blockColumns: Int
  /// The elements of a sub-block: those of a block where there are no sub-blocks.
  let unitColumns: Int
  let unitRows: Int
  /// The rows of the longer of two kinds of sub-blocks; those of a sub-block elsewhere.
  private let outerUnitRows: Int
  /// The extents of the largest panel.
  let rows: Int
  let columns: Int

  private let tiling: BlockGrid.Tiling
  /// What counts as a row: the whole tensor where rows follow each other without padding.
  private let rowLength: Int
  /// Rows of the last axis for each step along a strided block axis.
  private let innerRows: Int
  private let panelsPerRow: Int
  /// Sub-scales of a block along the block axis.
  private let unitsPerBlock: Int

  /// The elements of a panel, if blocks allow: enough to make the work around it small, and in rows
  /// of blocks a part of the second-level cache that is read twice, in long stretches.
  private static let rowPanel = 65536
  private static let blockPanel = 65536

  init(_ grid: BlockGrid, _ layout: KernelLayout) {
    let factors = layout.factors
    tiling = grid.tiling
    let lastExtent = max(1, grid.extents[grid.extents.count - 1])
    switch grid.tiling {
    case .lastAxis(let block, _):
      let block = min(block, lastExtent)
      let length = PanelGrid.rowLength(grid, layout, block: block)
      let panel = block >= length ? length : PanelGrid.multiple(of: 8 * block, near: Self.rowPanel)
      (rowLength, blockColumns, rows, columns) = (length, block, 1, min(panel, length))
      (unitRows, unitColumns) = (1, min(factors.shift?.length ?? block, block))
      outerUnitRows = unitRows
      innerRows = 1
      count = grid.elementCount / max(length, 1) * PanelGrid.parts(length, columns)
    case .tensor:
      let length = PanelGrid.rowLength(grid, layout, block: 1)
      (rowLength, rows, columns) = (length, 1, min(Self.rowPanel, length))
      (blockColumns, unitRows, unitColumns) = (columns, 1, columns)
      outerUnitRows = unitRows
      innerRows = 1
      count = grid.elementCount / max(length, 1) * PanelGrid.parts(length, columns)
    case .strided(let block, let length, let inner):
      let block = max(1, min(block, length))
      (rowLength, rows) = (lastExtent, block)
      columns = min(PanelGrid.multiple(of: 64, near: Self.blockPanel / block), lastExtent)
      let powers = factors.powers
      (blockColumns, unitRows, unitColumns) = (1, min(powers.last?.length ?? block, block), 1)
      outerUnitRows = min(powers.first?.length ?? block, block)
      innerRows = inner / lastExtent
      count =
        grid.slabCount * innerRows * PanelGrid.parts(lastExtent, columns)
    case .tile(let tileRows, let tileColumns, let height, let width):
      let tileColumns = max(1, min(tileColumns, width))
      (rowLength, rows) = (lastExtent, max(1, min(tileRows, height)))
      columns = min(
        PanelGrid.multiple(of: 8 * tileColumns, near: Self.blockPanel / rows), lastExtent)
      (blockColumns, unitRows, unitColumns) = (tileColumns, rows, tileColumns)
      outerUnitRows = unitRows
      innerRows = 1
      count = grid.slabCount * PanelGrid.parts(lastExtent, columns)
    }
    panelsPerRow = PanelGrid.parts(rowLength, columns)
    unitsPerBlock = rows == 1 ? 1 : PanelGrid.parts(rows, unitRows)
  }

  /// The elements that follow each other without padding in every plane.
  private static func rowLength(_ grid: BlockGrid, _ layout: KernelLayout, block: Int) -> Int {
    let factors = layout.factors
    let extent = max(1, grid.extents[grid.extents.count - 1])
    func isWhole(_ field: Int?, _ width: Int) -> Bool {
      guard let field else { return true }
      return grid.fields[field].rowLength * width % 8 == 0
    }
    let isDense =
      extent % block == 0 && isWhole(0, factors.element.bitWidth)
      && (grid.isWholeTensorBlock
        || isWhole(factors.scale?.field, factors.scale?.element.bitWidth ?? 0))
      && isWhole(layout.offset?.field, layout.offset?.element.bitWidth ?? 0)
      && factors.powers.allSatisfy {
        isWhole($0.field, $0.bitWidth) && block % $0.length == 0
      }
    return isDense ? max(1, grid.elementCount) : extent
  }

  private static func parts(_ length: Int, _ part: Int) -> Int {
    (length + part - 1) / max(part, 1)
  }

  private static func multiple(of unit: Int, near size: Int) -> Int {
    max(1, size / unit) * unit
  }

  /// Whether blocks are columns of panels.
  var hasColumnBlocks: Bool {
    if case .strided = tiling { true } else { false }
  }

  /// Where in a plane the fields of a panel begin.
  struct Place: Hashable {
    var row = 0
    var column = 0
  }

  /// One panel.
  struct Panel: Hashable {
    /// The row-major index of its first element.
    var base: Int
    var rows: Int
    /// Elements from one row to the next.
    var stride: Int
    var columns: Int
    var codes: Place
    /// Rows of the code plane, and of the sub-scale plane, from one row of the panel to the next.
    var rowStep: Int
    var scales: Place
    var subscales: Place
    /// Those of longer sub-blocks, where there are two kinds and blocks are columns.
    var outerSubscales = Place()
    /// The elements from its first one to that of the next panel, where panels have several rows;
    /// zero for the last one.
    var ahead = 0

    /// The panel without its first columns, which are whole blocks.
    func dropping(_ count: Int, _ grid: PanelGrid) -> Panel {
      var rest = self
      rest.base += count
      rest.columns -= count
      rest.codes.column += count
      rest.scales.column += count / grid.blockColumns
      rest.subscales.column += count / grid.unitColumns
      return rest
    }

    /// One of the blocks beside each other in a panel.
    func block(_ index: Int, _ grid: PanelGrid) -> Panel {
      var block = dropping(index * grid.blockColumns, grid)
      block.columns = min(grid.blockColumns, block.columns)
      return block
    }
  }

  /// The panel at an index below `count`.
  func panel(_ index: Int) -> Panel {
    var panel = place(index)
    if rows > 1 && index + 1 < count { panel.ahead = place(index + 1).base - panel.base }
    return panel
  }

  private func place(_ index: Int) -> Panel {
    let (line, part) = index.quotientAndRemainder(dividingBy: panelsPerRow)
    let column = part * columns
    let width = min(columns, rowLength - column)
    switch tiling {
    case .lastAxis, .tensor:
      return Panel(
        base: line * rowLength + column, rows: 1, stride: rowLength, columns: width,
        codes: Place(row: line, column: column), rowStep: 1,
        scales: Place(row: line, column: column / blockColumns),
        subscales: Place(row: line, column: column / unitColumns))
    case .strided(_, let length, let inner):
      let (block, innerRow) = line.quotientAndRemainder(dividingBy: innerRows)
      let blocks = PanelGrid.parts(length, rows)
      let (outer, along) = block.quotientAndRemainder(dividingBy: blocks)
      let units = outer * PanelGrid.parts(length, unitRows) + along * unitsPerBlock
      func parts(_ length: Int) -> Int { PanelGrid.parts(length, outerUnitRows) }
      let outerUnits = outer * parts(length) + along * parts(rows)
      let first = outer * length + along * rows
      return Panel(
        base: first * inner + innerRow * rowLength + column,
        rows: min(rows, length - along * rows), stride: inner, columns: width,
        codes: Place(row: first * innerRows + innerRow, column: column), rowStep: innerRows,
        scales: Place(row: block * innerRows + innerRow, column: column),
        subscales: Place(row: units * innerRows + innerRow, column: column),
        outerSubscales: Place(row: outerUnits * innerRows + innerRow, column: column))
    case .tile(_, _, let height, _):
      let bands = PanelGrid.parts(height, rows)
      let (batch, band) = line.quotientAndRemainder(dividingBy: bands)
      let first = batch * height + band * rows
      return Panel(
        base: first * rowLength + column, rows: min(rows, height - band * rows),
        stride: rowLength, columns: width, codes: Place(row: first, column: column), rowStep: 1,
        scales: Place(row: line, column: column / blockColumns), subscales: Place())
    }
  }
}
