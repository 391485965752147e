internal import CBlockKernels

/// Decodes panels on one thread.
struct PanelDecoder: ~Copyable {
  let plan: KernelPlan
  private let table: UnsafePointer<BKKernels>
  private let constants: KernelConstants
  private let scratch: PanelScratch
  private let output: PanelOutput

  init(_ plan: KernelPlan, output: PanelOutput) {
    self.plan = plan
    self.output = output
    table = plan.kernels.table
    constants = KernelConstants(plan)
    scratch = PanelScratch(
      plan.grid, holdsValues: false, isWide: !plan.element.isNarrow, hasSubscales: false)
  }

  /// Decodes a panel of packed planes.
  func decode(_ panel: PanelGrid.Panel, from planes: PlaneWriter) {
    let shape = PanelEncoder.Shape(panel, plan.grid)
    loadScales(panel, shape, planes)
    plan.setScaleValues(scratch, constants, shape)
    for row in 0..<shape.rows {
      let bytes = planes.codes.bytes(row: panel.codes.row + row * panel.rowStep, panel.codes.column)
      let scales = scratch.scaleValues + row / plan.grid.unitRows * shape.units
      let index = panel.base + row * panel.stride
      let direct = output.direct(index)
      let target = direct ?? scratch.decoded
      if plan.element.isNarrow {
        var codes = bytes
        if plan.element.width < 8 {
          codes = scratch.codes
          table.pointee.unpack(bytes, shape.columns, plan.element.width, codes)
        }
        table.pointee.decode(
          constants.element, plan.scaling, codes, shape.columns, scales, shape.unit,
          plan.levels.tensorScale.decode, target)
      } else {
        table.pointee.unpack_wide(
          bytes, shape.columns, plan.element.width, scratch.wideCodes)
        table.pointee.decode_wide(
          constants.element, plan.scaling, scratch.wideCodes, shape.columns, scales, shape.unit,
          plan.levels.tensorScale.decode, target)
      }
      if direct == nil { output.store(target, shape.columns, at: index, table) }
    }
  }

  private func loadScales(
    _ panel: PanelGrid.Panel, _ shape: PanelEncoder.Shape, _ planes: PlaneWriter
  ) {
    guard plan.levels.blockScale == nil else { return }
    switch plan.scale {
    case .unscaled: break
    case .float:
      let bytes = planes.scales.bytes(row: panel.scales.row, panel.scales.column)
      UnsafeMutableRawPointer(scratch.wideScales)
        .copyMemory(from: bytes, byteCount: 4 * shape.blocks)
    case .shared, .twoLevel:
      table.pointee.unpack(
        planes.scales.bytes(row: panel.scales.row, panel.scales.column), shape.blocks,
        UInt32(planes.scales.bitWidth), scratch.scaleCodes)
    }
    guard plan.hasSubscales else { return }
    for row in 0..<shape.unitRowCount {
      table.pointee.unpack(
        planes.subscales.bytes(
          row: panel.subscales.row + row * panel.rowStep, panel.subscales.column),
        shape.units, UInt32(planes.subscales.bitWidth), scratch.subscales + row * shape.units)
    }
  }
}
