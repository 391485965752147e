internal import CBlockKernels

extension PanelEncoder {
  /// Encodes a panel of one row in a single call, if all of it is tame.
  mutating func encodeRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, into planes: PlaneWriter
  ) -> Bool {
    guard let rule = constants.row else { return false }
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

  /// Encodes and decodes a panel of one row in a single call, if all of it is tame.
  mutating func reconstructRow(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape, into output: PanelOutput,
    exactBlocks: ExactBlockCounting
  ) -> Bool {
    guard let rule = constants.row else { return false }
    // Rows are worked on in parts, in which blocks of other lengths begin anywhere.
    let endsWithParts = grid.blockColumns.nonzeroBitCount == 1 || grid.blockColumns == grid.columns
    guard exactBlocks == .ignored || endsWithParts else { return false }
    // Values in place are still there if the row turns out not to be tame.
    let isInPlace = input.base == UnsafeRawPointer(output.base)
    let direct = isInPlace ? nil : output.target(panel.base)
    if exactBlocks == .counted { scratch.flags.update(repeating: 0, count: shape.blocks) }
    var overflows = 0
    let done = table.pointee.quantize_row(
      constants.element, rule, random(panel), rows.first, panel.columns,
      direct ?? scratch.decoded, direct != nil && output.streams,
      exactBlocks == .counted ? scratch.flags : nil, &overflows)
    guard done == panel.columns else { return false }
    if direct == nil { output.store(scratch.decoded, panel.columns, at: panel.base, table) }
    tally.saturatedCount += overflows
    if exactBlocks == .counted {
      let flags = UnsafeBufferPointer(start: scratch.flags, count: shape.blocks)
      exactBlockCount += flags.count { $0 == 0 }
    }
    return true
  }

  private func random(_ panel: PanelGrid.Panel) -> BKRandom {
    guard case .stochastic(let source) = policy.rounding else { return BKRandom() }
    return BKRandom(seed: source.seed, stream: source.stream, first: UInt64(panel.base))
  }
}
