internal import CBlockKernels

extension PanelEncoder {
  /// Encodes a panel in a single call, as far as it is tame.
  ///
  /// - Returns: whether that is all of it; else `panel` and its rows are left without the columns
  ///   that are done.
  mutating func encodeAtOnce(
    _ rows: inout PanelRows, _ panel: inout PanelGrid.Panel, into planes: KernelPlanes
  ) -> Bool {
    guard let rule = constants.row else { return false }
    if constants.hasLongBlocks { return encodeLongBlocks(rows, panel, rule, into: planes) }
    if grid.rows == 1 { return encodeRow(rows, panel, rule, into: planes) }
    var layout = BKPanel(panel, grid, codes: planes.codes, subscales: planes.subscales)
    if input.type != .float32 { (layout.stride, layout.ahead) = (rows.stride, 0) }
    var overflows = 0
    let done = table.pointee.encode_panel(
      constants.element, rule, &layout, random(panel), rows.first,
      planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      &overflows, constants.workspace)
    tally.saturatedCount += overflows
    drop(done, from: &panel, &rows)
    return panel.columns == 0
  }

  /// Encodes a panel of one row in a single call, if all of it is tame.
  private mutating func encodeRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ rule: UnsafePointer<BKBlockRule>,
    into planes: KernelPlanes
  ) -> Bool {
    var overflows = 0
    let done = table.pointee.encode_row(
      constants.element, rule, random(panel), rows.first, panel.columns,
      planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      rule.pointee.kind == BK_RULE_GIVEN
        ? nil : planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      &overflows, constants.workspace)
    guard done == panel.columns else { return false }
    tally.saturatedCount += overflows
    return true
  }

  /// Encodes a panel of one row block by block, if all of it is tame.
  private mutating func encodeLongBlocks(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ rule: UnsafeMutablePointer<BKBlockRule>,
    into planes: KernelPlanes
  ) -> Bool {
    let shape = Shape(panel, grid)
    let before = tally
    for index in 0..<shape.blocks {
      let block = panel.block(index, grid)
      let values = rows.first + index * grid.blockColumns
      guard findLongBlockScale(index, values, block.columns),
        encodeRow(
          PanelRows(first: values, stride: rows.stride), block,
          withMultiplier(rule, scratch.multipliers[index]), into: planes)
      else {
        tally = before
        return false
      }
    }
    storeScales(panel, shape, planes)
    return true
  }

  private func withMultiplier(
    _ rule: UnsafeMutablePointer<BKBlockRule>, _ multiplier: Float
  ) -> UnsafePointer<BKBlockRule> {
    rule.pointee.multiplier = multiplier
    return UnsafePointer(rule)
  }

  /// Finds the scale and the multiplier of a block; whether it is tame.
  private mutating func findLongBlockScale(
    _ index: Int, _ values: UnsafePointer<Float>, _ count: Int
  ) -> Bool {
    let maximum = scratch.blockMaxima + index
    table.pointee.row_magnitudes(values, count, count, maximum)
    if case .float = constants.kind {
      return table.pointee.float_scales(
        constants.float, maximum, 1, scratch.wideScales + index, scratch.multipliers + index)
    }
    return table.pointee.shared_scales(
      constants.shared, maximum, 1, 0, scratch.scaleCodes + index, scratch.multipliers + index)
  }

  /// Encodes and decodes a panel in a single call, as far as it is tame.
  ///
  /// - Returns: whether that is all of it; else `panel` and its rows are left without the columns
  ///   that are done.
  mutating func reconstructAtOnce(
    _ rows: inout PanelRows, _ panel: inout PanelGrid.Panel, into output: PanelOutput,
    exactBlocks: ExactBlockCounting
  ) -> Bool {
    guard let rule = constants.row else { return false }
    if constants.hasLongBlocks {
      return reconstructLongBlocks(&rows, &panel, rule, into: output, exactBlocks: exactBlocks)
    }
    if grid.rows == 1 {
      return reconstructRow(rows, panel, rule, into: output, exactBlocks: exactBlocks)
    }
    guard let target = output.target(panel.base) else { return false }
    var layout = BKPanel(panel, grid, codes: nil, subscales: nil)
    let blocks = Shape(panel, grid).blocks
    if exactBlocks == .counted { scratch.flags.update(repeating: 0, count: blocks) }
    var overflows = 0
    let done = table.pointee.quantize_panel(
      constants.element, rule, &layout, random(panel), rows.first, target, output.streams,
      exactBlocks == .counted ? scratch.flags : nil, &overflows, constants.workspace)
    tally.saturatedCount += overflows
    if exactBlocks == .counted {
      countExactBlocks((done + grid.blockColumns - 1) / grid.blockColumns)
    }
    drop(done, from: &panel, &rows)
    return panel.columns == 0
  }

  /// Encodes and decodes a panel of one row in a single call, if all of it is tame.
  private mutating func reconstructRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ rule: UnsafePointer<BKBlockRule>,
    into output: PanelOutput, exactBlocks: ExactBlockCounting
  ) -> Bool {
    // Rows are worked on in parts, in which blocks of other lengths begin anywhere.
    let endsWithParts =
      constants.hasLongBlocks || grid.blockColumns.nonzeroBitCount == 1
      || grid.blockColumns == grid.columns
    guard exactBlocks == .ignored || endsWithParts else { return false }
    // Values in place are still there if the row turns out not to be tame.
    let isInPlace = input.base == UnsafeRawPointer(output.base)
    let direct = isInPlace ? nil : output.target(panel.base)
    let blocks = Shape(panel, grid).blocks
    if exactBlocks == .counted { scratch.flags.update(repeating: 0, count: blocks) }
    var overflows = 0
    let done = table.pointee.quantize_row(
      constants.element, rule, random(panel), rows.first, panel.columns,
      direct ?? scratch.decoded, direct != nil && output.streams,
      exactBlocks == .counted ? scratch.flags : nil, &overflows, constants.workspace)
    guard done == panel.columns else { return false }
    if direct == nil { output.store(scratch.decoded, panel.columns, at: panel.base, table) }
    tally.saturatedCount += overflows
    if exactBlocks == .counted { countExactBlocks(blocks) }
    return true
  }

  /// Encodes and decodes a panel of one row block by block, as far as it is tame.
  private mutating func reconstructLongBlocks(
    _ rows: inout PanelRows, _ panel: inout PanelGrid.Panel,
    _ rule: UnsafeMutablePointer<BKBlockRule>, into output: PanelOutput,
    exactBlocks: ExactBlockCounting
  ) -> Bool {
    while panel.columns > 0 {
      let block = panel.block(0, grid)
      guard findLongBlockScale(0, rows.first, block.columns) else { return false }
      setScaleValues(Shape(block, grid))
      rule.pointee.scale = scratch.scaleValues[0]
      guard
        reconstructRow(
          rows, block, withMultiplier(rule, scratch.multipliers[0]), into: output,
          exactBlocks: exactBlocks)
      else { return false }
      drop(block.columns, from: &panel, &rows)
    }
    return true
  }

  private mutating func countExactBlocks(_ count: Int) {
    exactBlockCount += UnsafeBufferPointer(start: scratch.flags, count: count).count { $0 == 0 }
  }

  private func drop(
    _ count: Int, from panel: inout PanelGrid.Panel, _ rows: inout PanelRows
  ) {
    panel = panel.dropping(count, grid)
    rows = PanelRows(first: rows.first + count, stride: rows.stride)
  }

  private func random(_ panel: PanelGrid.Panel) -> BKRandom {
    guard case .stochastic(let source) = policy.rounding else { return BKRandom() }
    return BKRandom(
      seed: source.seed, stream: source.stream, first: UInt64(firstElement + panel.base))
  }
}
