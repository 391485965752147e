internal import CBlockKernels

/// Decodes panels on one thread.
struct PanelDecoder: ~Copyable {
  private let grid: PanelGrid
  private let scaling: BKScaling
  private let hasSubscales: Bool
  private let hasDoublings: Bool
  private let table: UnsafePointer<BKKernels>
  private let constants: KernelConstants
  private let isWide: Bool
  // Rows that go through in one call need none.
  private lazy var scratch = PanelScratch(
    grid, holdsValues: false, isWide: isWide, hasSubscales: false, hasDoublings: hasDoublings)
  private let output: PanelOutput

  init(_ plan: KernelPlan, _ levels: TensorLevels, output: PanelOutput) {
    grid = plan.grid
    scaling = plan.scaling
    hasSubscales = plan.hasSubscales
    hasDoublings = plan.hasDoublings
    self.output = output
    table = plan.kernels.table
    constants = KernelConstants(plan, levels)
    isWide = !plan.element.isNarrow
  }

  /// Decodes a panel of packed planes.
  mutating func decode(_ panel: PanelGrid.Panel, from planes: KernelPlanes) {
    if hasDoublings && !grid.hasColumnBlocks { return decodeDoubled(panel, from: planes) }
    if decodeAtOnce(panel, from: planes) { return }
    let shape = PanelEncoder.Shape(panel, grid)
    loadScales(panel, shape, planes)
    constants.setScaleValues(scratch, table, shape, hasSubscales: hasSubscales)
    if let rule = constants.row, constants.hasLongBlocks {
      for index in 0..<shape.blocks {
        rule.pointee.scale = scratch.scaleValues[index]
        decodeRow(panel.block(index, grid), rule, from: planes)
      }
      return
    }
    for row in 0..<shape.rows {
      let bytes = planes.codes.bytes(row: panel.codes.row + row * panel.rowStep, panel.codes.column)
      let scales = scratch.scaleValues + row / grid.unitRows * shape.units
      let index = panel.base + row * panel.stride
      let direct = output.direct(index)
      let target = direct ?? scratch.decoded
      if constants.element.pointee.isNarrow {
        var codes = bytes
        if constants.element.pointee.width < 8 {
          codes = scratch.codes
          table.pointee.unpack(bytes, shape.columns, constants.element.pointee.width, codes)
        }
        if scaling == BK_SCALE_LINE {
          table.pointee.decode_lines(
            constants.element, codes, shape.columns, scales, scratch.offsetValues, shape.unit,
            target)
        } else {
          table.pointee.decode(
            constants.element, scaling, codes, shape.columns, scales, shape.unit,
            constants.tensorScale.decode, target)
        }
      } else {
        table.pointee.unpack_wide(
          bytes, shape.columns, constants.element.pointee.width, scratch.wideCodes)
        table.pointee.decode_wide(
          constants.element, scaling, scratch.wideCodes, shape.columns, scales, shape.unit,
          constants.tensorScale.decode, target)
      }
      if direct == nil { output.store(target, shape.columns, at: index, table) }
    }
  }

  /// Decodes a panel in a single call, if there is one for it.
  private mutating func decodeAtOnce(_ panel: PanelGrid.Panel, from planes: KernelPlanes) -> Bool {
    guard let rule = constants.row, !constants.hasLongBlocks else { return false }
    if grid.rows == 1 {
      decodeRow(panel, rule, from: planes)
      return true
    }
    guard let target = output.target(panel.base) else { return false }
    var layout = BKPanel(panel, grid, codes: planes.codes, subscales: planes.subscales)
    table.pointee.decode_panel(
      constants.element, rule, &layout,
      planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      target, output.streams, constants.workspace)
    return true
  }

  /// Decodes a panel of one row in a single call.
  private mutating func decodeRow(
    _ panel: PanelGrid.Panel, _ rule: UnsafePointer<BKBlockRule>, from planes: KernelPlanes
  ) {
    let direct = output.target(panel.base)
    table.pointee.decode_row(
      constants.element, rule, planes.codes.bytes(row: panel.codes.row, panel.codes.column),
      rule.pointee.kind == BK_RULE_GIVEN
        ? nil : planes.scales.bytes(row: panel.scales.row, panel.scales.column),
      hasSubscales ? planes.subscales.bytes(row: panel.subscales.row, panel.subscales.column) : nil,
      scaling == BK_SCALE_LINE
        ? planes.offsets.bytes(row: panel.scales.row, panel.scales.column) : nil,
      panel.columns, direct ?? scratch.decoded, direct != nil && output.streams,
      constants.workspace)
    if direct == nil { output.store(scratch.decoded, panel.columns, at: panel.base, table) }
  }

  /// Decodes a panel of blocks whose parts are doubled.
  private mutating func decodeDoubled(_ panel: PanelGrid.Panel, from planes: KernelPlanes) {
    let direct = output.target(panel.base)
    let places = planes.doubledPlaces(of: panel)
    table.pointee.decode_doubled(
      constants.element, constants.doublings, places.codes, places.scales, places.outer,
      places.inner, panel.columns, direct ?? scratch.decoded, direct != nil && output.streams,
      constants.workspace)
    if direct == nil { output.store(scratch.decoded, panel.columns, at: panel.base, table) }
  }

  /// Unpacks the bits of columns of blocks whose parts are doubled.
  private mutating func loadDoublings(
    _ panel: PanelGrid.Panel, _ shape: PanelEncoder.Shape, _ planes: KernelPlanes
  ) {
    for row in 0..<shape.unitRowCount {
      table.pointee.unpack(
        planes.doublings.inner.bytes(
          row: panel.subscales.row + row * panel.rowStep, panel.subscales.column),
        shape.units, 1, scratch.subscales + row * shape.units)
    }
    for row in 0..<(shape.unitRowCount + 1) / 2 {
      table.pointee.unpack(
        planes.doublings.outer.bytes(
          row: panel.outerSubscales.row + row * panel.rowStep, panel.outerSubscales.column),
        shape.units, 1, scratch.outerSubscales + row * shape.units)
    }
  }

  private mutating func loadScales(
    _ panel: PanelGrid.Panel, _ shape: PanelEncoder.Shape, _ planes: KernelPlanes
  ) {
    guard constants.blockScale == nil else { return }
    switch constants.kind {
    case .unscaled: break
    case .float:
      let bytes = planes.scales.bytes(row: panel.scales.row, panel.scales.column)
      UnsafeMutableRawPointer(scratch.wideScales)
        .copyMemory(from: bytes, byteCount: 4 * shape.blocks)
    case .stored:
      let stored = constants.coder.pointee.stored
      table.pointee.widen(
        stored, planes.scales.bytes(row: panel.scales.row, panel.scales.column), shape.blocks,
        scratch.scaleValues)
      guard scaling == BK_SCALE_LINE else { return }
      table.pointee.widen(
        stored, planes.offsets.bytes(row: panel.scales.row, panel.scales.column), shape.blocks,
        scratch.offsetValues)
    case .shared, .twoLevel, .doubled:
      table.pointee.unpack(
        planes.scales.bytes(row: panel.scales.row, panel.scales.column), shape.blocks,
        UInt32(planes.scales.bitWidth), scratch.scaleCodes)
    }
    if hasDoublings { loadDoublings(panel, shape, planes) }
    guard hasSubscales else { return }
    for row in 0..<shape.unitRowCount {
      table.pointee.unpack(
        planes.subscales.bytes(
          row: panel.subscales.row + row * panel.rowStep, panel.subscales.column),
        shape.units, UInt32(planes.subscales.bitWidth), scratch.subscales + row * shape.units)
    }
  }
}
