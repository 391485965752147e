internal import CBlockKernels

extension KernelConstants {
  /// What codes are multiplied by, from the scales and sub-scales of a panel.
  func setScaleValues(
    _ scratch: PanelScratch, _ table: UnsafePointer<BKKernels>,
    _ shape: PanelEncoder.Shape, hasSubscales: Bool
  ) {
    if let blockScale {
      scratch.scaleValues.update(
        repeating: Float(bitPattern: blockScale.scale), count: shape.units)
      return
    }
    switch kind {
    case .unscaled, .stored: break
    case .doubled:
      table.pointee.doubled_column_values(
        doublings, scratch.scaleCodes, scratch.outerSubscales, scratch.subscales,
        shape.unitRowCount, shape.units, scratch.scaleValues)
    case .shared:
      for row in 0..<shape.unitRowCount {
        let first = row * shape.units
        table.pointee.shared_values(
          shared, scratch.scaleCodes, hasSubscales ? scratch.subscales + first : nil,
          shape.units, shape.spread, scratch.scaleValues + first)
      }
    case .float:
      let (scales, values) = (scratch.wideScales, scratch.scaleValues)
      for block in 0..<shape.blocks { values[block] = Float(bitPattern: scales[block]) }
    case .twoLevel:
      table.pointee.decode(
        scaleElement, BK_SCALE_NONE, scratch.scaleCodes, shape.blocks, nil, 1, 1,
        scratch.scaleValues)
    }
  }
}
