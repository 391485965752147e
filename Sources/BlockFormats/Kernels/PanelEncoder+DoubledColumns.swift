internal import CBlockKernels

/// Blocks whose parts are doubled, where they are columns of panels.
extension PanelEncoder {
  /// A block that its format encodes.
  private struct UnusualBlock {
    let column: Int
    /// The codes of each field.
    let codes: [[UInt32]]
  }

  /// Encodes the blocks of a panel into packed planes.
  mutating func encodeDoubledColumns(_ panel: PanelGrid.Panel, into planes: KernelPlanes) {
    let shape = Shape(panel, grid)
    var rows = rows(of: panel)
    let unusual = chooseDoublings(of: &rows, panel, shape)
    table.pointee.pack(
      scratch.scaleCodes, shape.columns, 8,
      planes.scales.bytes(row: panel.scales.row, panel.scales.column))
    for row in 0..<shape.unitRowCount {
      table.pointee.pack(
        scratch.subscales + row * shape.units, shape.units, 1,
        planes.doublings.inner.bytes(
          row: panel.subscales.row + row * panel.rowStep, panel.subscales.column))
    }
    for row in 0..<(shape.unitRowCount + 1) / 2 {
      table.pointee.pack(
        scratch.outerSubscales + row * shape.units, shape.units, 1,
        planes.doublings.outer.bytes(
          row: panel.outerSubscales.row + row * panel.rowStep, panel.outerSubscales.column))
    }
    for row in 0..<shape.rows {
      encodeCodes(row, of: rows, shape, unusual)
      table.pointee.pack(
        scratch.codes, shape.columns, constants.element.pointee.width,
        planes.codes.bytes(row: panel.codes.row + row * panel.rowStep, panel.codes.column))
    }
  }

  /// Encodes the blocks of a panel and decodes them again.
  mutating func reconstructDoubledColumns(
    _ panel: PanelGrid.Panel, into output: PanelOutput, exactBlocks: ExactBlockCounting
  ) {
    let shape = Shape(panel, grid)
    let source = rows(of: panel)
    var rows = source
    let unusual = chooseDoublings(of: &rows, panel, shape)
    if !unusual.isEmpty { setScaleValues(shape) }
    scratch.flags.update(repeating: 0, count: shape.blocks)
    for row in 0..<shape.rows {
      encodeCodes(row, of: rows, shape, unusual)
      let index = panel.base + row * panel.stride
      // In place, values must survive until they are compared.
      let direct =
        exactBlocks == .counted && input.base == UnsafeRawPointer(output.base)
        ? nil : output.direct(index)
      let target = direct ?? scratch.decoded
      table.pointee.decode(
        constants.element, scaling, scratch.codes, shape.columns,
        scratch.scaleValues + row / grid.unitRows * shape.units, 1, 1, target)
      if exactBlocks == .counted {
        table.pointee.mark_inexact(source.row(row), target, shape.columns, 1, scratch.flags)
      }
      if direct == nil { output.store(target, shape.columns, at: index, table) }
    }
    if exactBlocks == .counted {
      let flags = UnsafeBufferPointer(start: scratch.flags, count: shape.blocks)
      exactBlockCount += flags.count { $0 == 0 }
    }
  }

  /// The codes of a row, those of unusual blocks in their places.
  private mutating func encodeCodes(
    _ row: Int, of rows: PanelRows, _ shape: Shape, _ unusual: [UnusualBlock]
  ) {
    let overflows = table.pointee.encode_doubled_columns(
      constants.element, rows.row(row), shape.columns,
      scratch.multipliers + row / grid.unitRows * shape.units, scratch.codes)
    tally.saturatedCount += overflows
    for block in unusual {
      scratch.codes[block.column] = UInt8(truncatingIfNeeded: block.codes[0][row])
    }
  }

  /// Finds what the blocks of a panel store besides codes, and what multiplies values and codes.
  ///
  /// Blocks that kernels leave to the format are zeros in `rows` afterwards. What multiplies their codes
  /// is left to the caller.
  private mutating func chooseDoublings(
    of rows: inout PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape
  ) -> [UnusualBlock] {
    for unitRow in 0..<shape.unitRowCount {
      let first = unitRow * grid.unitRows
      table.pointee.column_magnitudes(
        rows.row(first), min(grid.unitRows, shape.rows - first), rows.stride, shape.columns,
        scratch.unitMaxima + unitRow * shape.units)
    }
    let areUsual = table.pointee.double_columns(
      constants.doublings, scratch.unitMaxima, shape.unitRowCount, shape.units,
      scratch.scaleCodes, scratch.outerSubscales, scratch.subscales, scratch.multipliers,
      scratch.scaleValues, scratch.flags)
    guard !areUsual else { return [] }
    var unusual: [UnusualBlock] = []
    let copies = scratch.lifted
    for row in 0..<shape.rows {
      (copies + row * shape.columns).update(from: rows.row(row), count: shape.columns)
    }
    let layout = plan.layout
    for column in 0..<shape.columns where scratch.flags[column] != 0 {
      let values = (0..<shape.rows).map { copies[$0 * shape.columns + column] }
      for row in 0..<shape.rows { copies[row * shape.columns + column] = 0 }
      var codes: [[UInt32]] = []
      values.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        encode(base, values.count, at: panel.base + column, by: plan.format) { _, fields in
          codes = (0..<fields.fieldCount).map { Array(fields.codes($0)) }
        }
      }
      /// Stores the codes of a field, of which rows of columns lie in memory.
      func store(_ field: Int?, in memory: UnsafeMutablePointer<UInt8>) {
        guard let field else { return }
        for (row, code) in codes[field].enumerated() {
          memory[row * shape.units + column] = UInt8(truncatingIfNeeded: code)
        }
      }
      store(layout.factors.scale?.field, in: scratch.scaleCodes)
      store(layout.outerDoubling, in: scratch.outerSubscales)
      store(layout.innerDoubling, in: scratch.subscales)
      unusual.append(UnusualBlock(column: column, codes: codes))
    }
    rows = PanelRows(first: UnsafePointer(copies), stride: shape.columns)
    return unusual
  }
}
