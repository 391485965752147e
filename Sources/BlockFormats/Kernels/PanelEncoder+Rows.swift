internal import CBlockKernels

extension PanelEncoder {
  /// Encodes a panel in a single call, as far as it is tame.
  ///
  /// - Returns: whether that is all of it; else `panel` and its rows are left without the columns
  ///   that are done.
  mutating func encodeAtOnce(
    _ rows: inout PanelRows, _ panel: inout PanelGrid.Panel, into planes: PlaneWriter
  ) -> Bool {
    guard let rule = constants.row, !constants.isScaledByRow else { return false }
    if grid.rows == 1 { return encodeRow(rows, panel, rule, into: planes) }
    var layout = BKPanel(panel, grid, codes: planes.codes, subscales: planes.subscales)
    if input.type != .float32 { (layout.stride, layout.ahead) = (rows.stride, 0) }
    var overflows = 0
    let done = table.pointee.encode_panel(
      constants.element, rule, &layout, random(panel), rows.first,
      planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      &overflows)
    tally.saturatedCount += overflows
    drop(done, from: &panel, &rows)
    return panel.columns == 0
  }

  /// Encodes a panel of one row in a single call, if all of it is tame.
  private mutating func encodeRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ rule: UnsafePointer<BKBlockRule>,
    into planes: PlaneWriter
  ) -> Bool {
    var overflows = 0
    let done = table.pointee.encode_row(
      constants.element, rule, random(panel), rows.first, panel.columns,
      planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      rule.pointee.kind == BK_RULE_GIVEN
        ? nil : planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      &overflows)
    guard done == panel.columns else { return false }
    tally.saturatedCount += overflows
    return true
  }

  /// Encodes a panel of one block in one row with the multiplier in scratch, if it is tame.
  mutating func encodeScaledRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, into planes: PlaneWriter
  ) -> Bool {
    guard let rule = constants.row, constants.isScaledByRow else { return false }
    rule.pointee.multiplier = scratch.multipliers[0]
    return encodeRow(rows, panel, rule, into: planes)
  }

  /// Encodes and decodes a panel in a single call, as far as it is tame.
  ///
  /// - Returns: whether that is all of it; else `panel` and its rows are left without the columns
  ///   that are done.
  mutating func reconstructAtOnce(
    _ rows: inout PanelRows, _ panel: inout PanelGrid.Panel, into output: PanelOutput,
    exactBlocks: ExactBlockCounting
  ) -> Bool {
    guard let rule = constants.row, !constants.isScaledByRow else { return false }
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
      exactBlocks == .counted ? scratch.flags : nil, &overflows)
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
    let endsWithParts = grid.blockColumns.nonzeroBitCount == 1 || grid.blockColumns == grid.columns
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
      exactBlocks == .counted ? scratch.flags : nil, &overflows)
    guard done == panel.columns else { return false }
    if direct == nil { output.store(scratch.decoded, panel.columns, at: panel.base, table) }
    tally.saturatedCount += overflows
    if exactBlocks == .counted { countExactBlocks(blocks) }
    return true
  }

  /// Encodes and decodes a panel of one block in one row with the multiplier and the scale in
  /// scratch, if it is tame.
  mutating func reconstructScaledRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, into output: PanelOutput,
    exactBlocks: ExactBlockCounting
  ) -> Bool {
    guard let rule = constants.row, constants.isScaledByRow else { return false }
    rule.pointee.multiplier = scratch.multipliers[0]
    rule.pointee.scale = scratch.scaleValues[0]
    return reconstructRow(rows, panel, rule, into: output, exactBlocks: exactBlocks)
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
    return BKRandom(seed: source.seed, stream: source.stream, first: UInt64(panel.base))
  }
}
