internal import CBlockKernels

/// Encodes panels on one thread: magnitudes, scales, codes, row by row.
struct PanelEncoder: ~Copyable {
  let plan: KernelPlan
  // Copies of the plan's plain values, which the loop over panels reads.
  let grid: PanelGrid
  let policy: EncodingPolicy
  let scaling: BKScaling
  let hasSubscales: Bool
  let table: UnsafePointer<BKKernels>
  let constants: KernelConstants
  // Rows that go through in one call need neither.
  lazy var scratch = PanelScratch(
    grid, holdsValues: input.type != .float32, isWide: !plan.element.isNarrow,
    hasSubscales: hasSubscales, hasDoublings: plan.hasDoublings)
  lazy var search = SearchScratch(grid)
  lazy var blocks = BlockMemory(grid)
  let input: PanelInput
  /// The index in the whole tensor of the first value of the input.
  let firstElement: Int
  /// Events counted so far.
  var tally = EncodingTally()
  /// The number of blocks in which every value decoded to itself.
  var exactBlockCount = 0

  /// The extents of the panel at work.
  struct Shape {
    let rows: Int
    let columns: Int
    /// Blocks, and units of each row of units.
    let blocks: Int
    let units: Int
    let unitRowCount: Int
    /// Units of a row in a block.
    let spread: Int
    /// The unit length that kernels see: long enough where one block spans the row.
    let unit: Int

    init(_ panel: PanelGrid.Panel, _ grid: PanelGrid) {
      rows = panel.rows
      columns = panel.columns
      blocks = (columns + grid.blockColumns - 1) / grid.blockColumns
      units = (columns + grid.unitColumns - 1) / grid.unitColumns
      unitRowCount = (rows + grid.unitRows - 1) / grid.unitRows
      spread = (grid.blockColumns + grid.unitColumns - 1) / grid.unitColumns
      unit = units == 1 ? (columns + 63) / 64 * 64 : grid.unitColumns
    }
  }

  init(_ plan: KernelPlan, _ levels: TensorLevels, input: PanelInput) {
    self.plan = plan
    self.input = input
    firstElement = levels.firstElement
    grid = plan.grid
    policy = plan.policy
    scaling = plan.scaling
    hasSubscales = plan.hasSubscales
    table = plan.kernels.table
    constants = KernelConstants(plan, levels)
  }

  /// Encodes a panel into packed planes.
  mutating func encode(_ panel: PanelGrid.Panel, into planes: KernelPlanes) {
    if case .stored = constants.kind { return encodeBlocks(panel, into: planes) }
    if case .doubled = constants.kind {
      return grid.hasColumnBlocks
        ? encodeDoubledColumns(panel, into: planes) : encodeDoubled(panel, into: planes)
    }
    var panel = panel
    var rows = rows(of: panel)
    if encodeAtOnce(&rows, &panel, into: planes) { return }
    let shape = Shape(panel, grid)
    let isTame = chooseScales(of: rows, panel, shape)
    let lifted = isTame ? rows : lift(rows, shape)
    if !isTame { setScaleValues(shape) }
    storeScales(panel, shape, planes)
    for row in 0..<shape.rows {
      let bytes = planes.codes.bytes(row: panel.codes.row + row * panel.rowStep, panel.codes.column)
      if constants.element.pointee.width == 8 {
        encode(row, of: lifted, panel, shape, isTame: isTame, into: bytes)
      } else if constants.element.pointee.isNarrow {
        encode(row, of: lifted, panel, shape, isTame: isTame, into: scratch.codes)
        table.pointee.pack(scratch.codes, shape.columns, constants.element.pointee.width, bytes)
      } else {
        encodeWide(row, of: lifted, panel, shape, isTame: isTame)
        table.pointee.pack_wide(
          scratch.wideCodes, shape.columns, constants.element.pointee.width, bytes)
      }
    }
  }

  /// Encodes a panel and decodes it again.
  mutating func reconstruct(
    _ panel: PanelGrid.Panel, into output: PanelOutput, exactBlocks: ExactBlockCounting
  ) {
    if case .stored = constants.kind {
      return reconstructBlocks(panel, into: output, exactBlocks: exactBlocks)
    }
    if case .doubled = constants.kind {
      return grid.hasColumnBlocks
        ? reconstructDoubledColumns(panel, into: output, exactBlocks: exactBlocks)
        : reconstructDoubled(panel, into: output, exactBlocks: exactBlocks)
    }
    var panel = panel
    var rows = rows(of: panel)
    if reconstructAtOnce(&rows, &panel, into: output, exactBlocks: exactBlocks) { return }
    let shape = Shape(panel, grid)
    let isTame = chooseScales(of: rows, panel, shape)
    let lifted = isTame ? rows : lift(rows, shape)
    setScaleValues(shape)
    scratch.flags.update(repeating: 0, count: shape.blocks)
    for row in 0..<shape.rows {
      let index = panel.base + row * panel.stride
      let scales = scratch.scaleValues + row / grid.unitRows * shape.units
      // In place, values must survive until they are compared.
      let direct =
        exactBlocks == .counted && input.base == UnsafeRawPointer(output.base)
        ? nil : output.direct(index)
      let target = direct ?? scratch.decoded
      if constants.element.pointee.isNarrow {
        encode(row, of: lifted, panel, shape, isTame: isTame, into: scratch.codes)
        table.pointee.decode(
          constants.element, scaling, scratch.codes, shape.columns, scales, shape.unit,
          constants.tensorScale.decode, target)
      } else {
        encodeWide(row, of: lifted, panel, shape, isTame: isTame)
        table.pointee.decode_wide(
          constants.element, scaling, scratch.wideCodes, shape.columns, scales, shape.unit,
          constants.tensorScale.decode, target)
      }
      if exactBlocks == .counted {
        table.pointee.mark_inexact(
          rows.row(row), target, shape.columns, grid.blockColumns, scratch.flags)
      }
      if direct == nil { output.store(target, shape.columns, at: index, table) }
    }
    if exactBlocks == .counted {
      let flags = UnsafeBufferPointer(start: scratch.flags, count: shape.blocks)
      exactBlockCount += flags.count { $0 == 0 }
    }
  }

  /// The codes of a row of up to eight bits each.
  private mutating func encode(
    _ row: Int, of rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape, isTame: Bool,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    let values = unitValues(row, of: rows, panel, shape)
    tally.saturatedCount += encode(
      values, isTame: isTame, prefetch: shape.columns * MemoryLayout<Float>.size, into: codes)
  }

  private mutating func encodeWide(
    _ row: Int, of rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape, isTame: Bool
  ) {
    let (table, codes) = (table, scratch.wideCodes)
    let values = unitValues(row, of: rows, panel, shape)
    tally.saturatedCount += sumOverRuns(of: values, isTame: isTame) { element, run, first in
      table.pointee.encode_wide(
        element, run.values, run.count, run.multipliers, run.unit, run.randomWords, codes + first)
    }
  }

  private mutating func unitValues(
    _ row: Int, of rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape
  ) -> UnitValues {
    UnitValues(
      values: rows.row(row), count: shape.columns, unit: shape.unit,
      multipliers: multipliers(row, shape),
      scaleValues: UnsafePointer(scratch.scaleValues + row / grid.unitRows * shape.units),
      randomWords: randomWords(of: panel.base + row * panel.stride, shape.columns))
  }

  mutating func rows(of panel: PanelGrid.Panel) -> PanelRows {
    input.rowsInPlace(of: panel) ?? input.rows(of: panel, widenedInto: scratch.values, table)
  }

  /// The rows that are not tame, with tiny sub-blocks lifted.
  private mutating func lift(_ rows: PanelRows, _ shape: Shape) -> PanelRows {
    guard hasSubscales else { return rows }
    let layout = UnitRows(
      rowCount: shape.rows, columns: shape.columns, unit: grid.unitColumns, units: shape.units,
      spread: shape.spread, subscales: scratch.subscales, multipliers: scratch.multipliers)
    return liftTinyUnits(rows, layout, into: scratch.lifted)
  }

  private mutating func multipliers(_ row: Int, _ shape: Shape) -> UnsafePointer<Float>? {
    guard scaling != BK_SCALE_NONE else { return nil }
    return UnsafePointer(scratch.multipliers + row / grid.unitRows * shape.units)
  }

  /// The random words of consecutive elements of the input; `nil` where rounding needs none.
  mutating func randomWords(of first: Int, _ count: Int) -> UnsafePointer<UInt32>? {
    guard case .stochastic(let source) = policy.rounding else { return nil }
    let first = firstElement + first
    let offset = first & 3
    table.pointee.random_words(
      source.seed, source.stream, UInt64(first - offset), count + offset, scratch.randomWords)
    return UnsafePointer(scratch.randomWords + offset)
  }
}

/// Whether blocks in which nothing changed are counted.
enum ExactBlockCounting {
  case counted
  case ignored
}
