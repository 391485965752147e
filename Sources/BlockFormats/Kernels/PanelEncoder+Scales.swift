internal import CBlockKernels

extension PanelEncoder {
  /// Finds the scales and multipliers of a panel.
  ///
  /// - Returns: whether kernels may take values and products for tame.
  mutating func chooseScales(
    of rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape
  ) -> Bool {
    if let shared = constants.blockScale {
      scratch.multipliers.update(repeating: shared.encodeMultiplier, count: shape.units)
      return isTame(rows, shape, multiplier: shared.encodeMultiplier)
    }
    if case .unscaled = constants.kind { return isTame(rows, shape, multiplier: 1) }
    findMaxima(rows, shape)
    var isTame = findScales(shape)
    let isFinite = isTame || !replaceNonFinite(rows, shape)
    if !isFinite {
      _ = findScales(shape)
      isTame = false
    }
    if constants.candidateCount > 1 {
      searchScales(rows, panel, shape, isFinite: isFinite)
      isTame = setMultipliers(shape) && isFinite
    }
    return isTame
  }

  /// Whether the products of all rows with one multiplier are tame.
  private mutating func isTame(_ rows: PanelRows, _ shape: Shape, multiplier: Float) -> Bool {
    let (element, table, maximum) = (constants.element, table, scratch.unitMaxima)
    guard element.pointee.isNarrow, multiplier < 0x1p96,
      multiplier >= element.pointee.least_multiplier
    else { return false }
    return (0..<shape.rows).allSatisfy { row in
      table.pointee.row_magnitudes(rows.row(row), shape.columns, shape.columns, maximum)
      // NaN is below nothing.
      return Float(bitPattern: maximum[0]) * multiplier < element.pointee.tame_limit
    }
  }

  /// The largest magnitudes of units and blocks, as bit patterns.
  private mutating func findMaxima(_ rows: PanelRows, _ shape: Shape) {
    if shape.rows == 1 {
      table.pointee.row_magnitudes(
        rows.first, shape.columns, grid.unitColumns, scratch.unitMaxima)
    } else {
      for unitRow in 0..<shape.unitRowCount {
        let first = unitRow * grid.unitRows
        let maxima = scratch.unitMaxima + unitRow * shape.units
        let columns = grid.unitColumns == 1 ? maxima : scratch.columnMaxima
        table.pointee.column_magnitudes(
          rows.row(first), min(grid.unitRows, shape.rows - first), rows.stride, shape.columns,
          columns)
        if grid.unitColumns > 1 {
          table.pointee.row_magnitudes(
            floats(columns), shape.columns, grid.unitColumns, maxima)
        }
      }
    }
    findBlockMaxima(shape)
  }

  /// The magnitudes of blocks from those of units.
  private mutating func findBlockMaxima(_ shape: Shape) {
    if shape.unitRowCount > 1 {
      table.pointee.column_magnitudes(
        floats(scratch.unitMaxima), shape.unitRowCount, shape.units, shape.units,
        scratch.blockMaxima)
    } else {
      table.pointee.row_magnitudes(
        floats(scratch.unitMaxima), shape.units, shape.spread, scratch.blockMaxima)
    }
  }

  private func floats(_ patterns: UnsafeMutablePointer<UInt32>) -> UnsafePointer<Float> {
    UnsafeRawPointer(patterns).assumingMemoryBound(to: Float.self)
  }

  /// Restricts magnitudes to finite values, and marks the blocks that the policy makes NaN.
  ///
  /// - Returns: whether some value is not finite.
  private mutating func replaceNonFinite(_ rows: PanelRows, _ shape: Shape) -> Bool {
    let infinity = Float.infinity.bitPattern
    guard (0..<shape.blocks).contains(where: { scratch.blockMaxima[$0] >= infinity }) else {
      return false
    }
    for unitRow in 0..<shape.unitRowCount {
      let first = unitRow * grid.unitRows
      table.pointee.finite_magnitudes(
        rows.row(first), min(grid.unitRows, shape.rows - first), rows.stride, shape.columns,
        grid.unitColumns, scratch.unitMaxima + unitRow * shape.units,
        scratch.flags + unitRow * shape.units)
    }
    findBlockMaxima(shape)
    for block in 0..<shape.blocks {
      var statistics = ValueStatistics()
      for unitRow in 0..<shape.unitRowCount {
        let first = unitRow * shape.units
        for unit in block * shape.spread..<min((block + 1) * shape.spread, shape.units) {
          let flags = scratch.flags[first + unit]
          if flags & 1 != 0 { statistics.containsInfinity = true }
          if flags & 2 != 0 { statistics.containsNaN = true }
        }
      }
      if policy.poisons(statistics, element: plan.elementFormat) {
        scratch.blockMaxima[block] = Float.nan.bitPattern
      }
    }
    return true
  }

  /// Scales by the rule, and multipliers.
  ///
  /// - Returns: whether products are tame.
  private mutating func findScales(_ shape: Shape) -> Bool {
    switch constants.kind {
    case .unscaled, .stored, .doubled: return true
    case .shared:
      let isTame = table.pointee.shared_scales(
        constants.shared, scratch.blockMaxima, shape.blocks, 0, scratch.scaleCodes,
        scratch.multipliers)
      return hasSubscales ? setMultipliers(shape) : isTame
    case .float:
      return table.pointee.float_scales(
        constants.float, scratch.blockMaxima, shape.blocks, scratch.wideScales,
        scratch.multipliers)
    case .twoLevel:
      table.pointee.two_level_scales(
        constants.twoLevel, scratch.blockMaxima, shape.blocks, scratch.scaleCodes)
      return setMultipliers(shape)
    }
  }

  /// Sub-scales and multipliers below the scales that are set.
  ///
  /// - Returns: whether products are tame.
  private mutating func setMultipliers(_ shape: Shape) -> Bool {
    guard case .shared = constants.kind else {
      return table.pointee.two_level_multipliers(
        constants.twoLevel, scratch.blockMaxima, shape.blocks, scratch.scaleCodes,
        scratch.multipliers)
    }
    var isTame = true
    for row in 0..<shape.unitRowCount {
      let first = row * shape.units
      let isRowTame = table.pointee.shared_subscales(
        constants.shared, scratch.unitMaxima + first, shape.units, shape.spread,
        scratch.scaleCodes, scratch.subscales + first, scratch.multipliers + first)
      isTame = isTame && isRowTame
    }
    return isTame
  }

  /// What codes are multiplied by.
  mutating func setScaleValues(_ shape: Shape) {
    constants.setScaleValues(scratch, table, shape, hasSubscales: hasSubscales)
  }

  /// Packs the scales and sub-scales.
  mutating func storeScales(_ panel: PanelGrid.Panel, _ shape: Shape, _ planes: KernelPlanes) {
    if constants.blockScale == nil {
      switch constants.kind {
      case .unscaled, .stored, .doubled: break
      case .float:
        planes.scales.bytes(row: panel.scales.row, panel.scales.column)
          .update(
            from: UnsafeRawPointer(scratch.wideScales).assumingMemoryBound(to: UInt8.self),
            count: 4 * shape.blocks)
      case .shared, .twoLevel:
        table.pointee.pack(
          scratch.scaleCodes, shape.blocks, UInt32(planes.scales.bitWidth),
          planes.scales.bytes(row: panel.scales.row, panel.scales.column))
      }
    }
    guard hasSubscales else { return }
    for row in 0..<shape.unitRowCount {
      table.pointee.pack(
        scratch.subscales + row * shape.units, shape.units, UInt32(planes.subscales.bitWidth),
        planes.subscales.bytes(
          row: panel.subscales.row + row * panel.rowStep, panel.subscales.column))
    }
  }

  /// Rows of sub-blocks with their sub-scales and multipliers, below the block scales in scratch.
  struct UnitRows {
    let rowCount: Int
    let columns: Int
    /// Columns of a unit, units of a row and units of a row in a block.
    let unit: Int
    let units: Int
    let spread: Int
    let subscales: UnsafePointer<UInt8>
    let multipliers: UnsafeMutablePointer<Float>
  }

  /// Values whose sub-blocks lie so low that their multiplier is no FP32 number, 2^64 times as
  /// large, with multipliers that make up for it; `rows` themselves if there are none.
  mutating func liftTinyUnits(
    _ rows: PanelRows, _ layout: UnitRows, into memory: UnsafeMutablePointer<Float>
  ) -> PanelRows {
    let bias = Int(constants.shared.pointee.bias)
    let nan = constants.shared.pointee.nan_code
    let blockCodes = scratch.scaleCodes
    func exponent(_ unitRow: Int, _ unit: Int) -> Int {
      let code = blockCodes[unit / layout.spread]
      let subscale = layout.subscales[unitRow * layout.units + unit]
      return code == nan ? 0 : Int(subscale) + bias - Int(code)
    }
    let unitRowCount = (layout.rowCount + grid.unitRows - 1) / grid.unitRows
    let isNeeded = (0..<unitRowCount).contains { row in
      (0..<layout.units).contains { exponent(row, $0) > 127 }
    }
    guard isNeeded else { return rows }
    for row in 0..<layout.rowCount {
      let unitRow = row / grid.unitRows
      for column in 0..<layout.columns {
        let lift: Float = exponent(unitRow, column / layout.unit) > 127 ? 0x1p64 : 1
        memory[row * layout.columns + column] = rows.row(row)[column] * lift
      }
    }
    for unitRow in 0..<unitRowCount {
      for unit in 0..<layout.units where exponent(unitRow, unit) > 127 {
        layout.multipliers[unitRow * layout.units + unit] = Float(
          sign: .plus, exponent: exponent(unitRow, unit) - 64, significand: 1)
      }
    }
    return PanelRows(first: UnsafePointer(memory), stride: layout.columns)
  }
}
