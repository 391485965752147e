internal import CBlockKernels
import NumericSupport

/// Memory for the candidates of a scale search, with every block of a panel gathered.
final class SearchScratch {
  let values: UnsafeMutablePointer<Float>
  let lifted: UnsafeMutablePointer<Float>
  let decoded: UnsafeMutablePointer<Float>
  let randomWords: UnsafeMutablePointer<UInt32>
  let codes: UnsafeMutablePointer<UInt8>
  let unitMaxima: UnsafeMutablePointer<UInt32>
  let flags: UnsafeMutablePointer<UInt8>
  let subscales: UnsafeMutablePointer<UInt8>
  let multipliers: UnsafeMutablePointer<Float>
  let scaleValues: UnsafeMutablePointer<Float>
  let bestScales: UnsafeMutablePointer<UInt8>
  let bestErrors: UnsafeMutablePointer<Double>
  let errors: UnsafeMutablePointer<Double>
  /// The memory of all of these, one allocation as that of `PanelScratch`.
  private let memory: UnsafeMutableRawPointer

  /// Memory for the panels of a grid.
  init(_ grid: PanelGrid) {
    let blocks = (grid.columns + grid.blockColumns - 1) / grid.blockColumns
    // Every block is as long as a full one, in whole units.
    let unit = grid.unitRows * grid.unitColumns
    let length = (grid.rows * grid.blockColumns + unit - 1) / unit * unit
    let count = blocks * length
    var cuts = MemoryCuts()
    let bestErrorsAt = cuts.cut(Double.self, count: blocks)
    let errorsAt = cuts.cut(Double.self, count: blocks)
    let valuesAt = cuts.cut(Float.self, count: count)
    let liftedAt = cuts.cut(Float.self, count: count)
    let decodedAt = cuts.cut(Float.self, count: count)
    let randomWordsAt = cuts.cut(UInt32.self, count: count)
    let unitMaximaAt = cuts.cut(UInt32.self, count: count / unit)
    let multipliersAt = cuts.cut(Float.self, count: count / unit)
    let scaleValuesAt = cuts.cut(Float.self, count: count / unit)
    let codesAt = cuts.cut(UInt8.self, count: count)
    let flagsAt = cuts.cut(UInt8.self, count: count / unit)
    let subscalesAt = cuts.cut(UInt8.self, count: count / unit)
    let bestScalesAt = cuts.cut(UInt8.self, count: blocks)
    memory = .allocate(byteCount: cuts.byteCount, alignment: 16)
    bestErrors = (memory + bestErrorsAt).bindMemory(to: Double.self, capacity: blocks)
    errors = (memory + errorsAt).bindMemory(to: Double.self, capacity: blocks)
    values = (memory + valuesAt).bindMemory(to: Float.self, capacity: count)
    lifted = (memory + liftedAt).bindMemory(to: Float.self, capacity: count)
    decoded = (memory + decodedAt).bindMemory(to: Float.self, capacity: count)
    randomWords = (memory + randomWordsAt).bindMemory(to: UInt32.self, capacity: count)
    unitMaxima = (memory + unitMaximaAt).bindMemory(to: UInt32.self, capacity: count / unit)
    multipliers = (memory + multipliersAt).bindMemory(to: Float.self, capacity: count / unit)
    scaleValues = (memory + scaleValuesAt).bindMemory(to: Float.self, capacity: count / unit)
    codes = (memory + codesAt).bindMemory(to: UInt8.self, capacity: count)
    flags = (memory + flagsAt).bindMemory(to: UInt8.self, capacity: count / unit)
    subscales = (memory + subscalesAt).bindMemory(to: UInt8.self, capacity: count / unit)
    bestScales = (memory + bestScalesAt).bindMemory(to: UInt8.self, capacity: blocks)
  }

  deinit { memory.deallocate() }
}

extension PanelEncoder {
  /// The blocks of a panel, each following the last, padded with zeros to whole units.
  ///
  /// A zero decodes to itself under every scale, so padding adds nothing to a squared error.
  private struct Gathered {
    let values: UnsafePointer<Float>
    let randomWords: UnsafePointer<UInt32>?
    let blocks: Int
    let length: Int
    let unit: Int
    var count: Int { blocks * length }
    var unitsPerBlock: Int { length / unit }
  }

  /// Leaves in scratch the scale codes whose decoded blocks have the smallest squared error; the
  /// first candidate wins ties.
  mutating func searchScales(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape, isFinite: Bool
  ) {
    let blocks = gather(rows, panel, shape)
    if hasSubscales {
      table.pointee.finite_magnitudes(
        blocks.values, 1, 0, blocks.count, blocks.unit, search.unitMaxima, search.flags)
    } else {
      search.unitMaxima.update(from: scratch.blockMaxima, count: shape.blocks)
    }
    // Pointers of their own: the loops over blocks must not ask an object for each.
    let (scales, bestScales) = (scratch.scaleCodes, search.bestScales)
    let (errors, bestErrors) = (search.errors, search.bestErrors)
    for candidate in 0..<constants.candidateCount {
      setCandidate(candidate, shape)
      measure(blocks, isFinite: isFinite)
      for block in 0..<shape.blocks {
        let error = errors[block]
        guard candidate == 0 || error < bestErrors[block] else { continue }
        // An error that is NaN, as of values that became NaN, loses against every finite one.
        bestErrors[block] = error.isNaN ? .infinity : error
        bestScales[block] = scales[block]
      }
    }
    scales.update(from: bestScales, count: shape.blocks)
  }

  private mutating func setCandidate(_ index: Int, _ shape: Shape) {
    switch constants.kind {
    case .unscaled, .float, .stored, .doubled: break
    case .shared:
      _ = table.pointee.shared_scales(
        constants.shared, scratch.blockMaxima, shape.blocks, constants.steps[index],
        scratch.scaleCodes, scratch.multipliers)
    case .twoLevel:
      table.pointee.two_level_scales(
        constants.twoLevel + index, scratch.blockMaxima, shape.blocks, scratch.scaleCodes)
    }
  }

  /// The squared errors of all blocks under the scale codes in scratch.
  private mutating func measure(_ blocks: Gathered, isFinite: Bool) {
    let units = blocks.blocks * blocks.unitsPerBlock
    var values = blocks.values
    var isTame = isFinite
    if case .shared = constants.kind {
      let isReachable = table.pointee.shared_subscales(
        constants.shared, search.unitMaxima, units, blocks.unitsPerBlock, scratch.scaleCodes,
        search.subscales, search.multipliers)
      if !isReachable && hasSubscales {
        let layout = UnitRows(
          rowCount: 1, columns: blocks.count, unit: blocks.unit, units: units,
          spread: blocks.unitsPerBlock, subscales: search.subscales,
          multipliers: search.multipliers)
        let rows = PanelRows(first: values, stride: blocks.count)
        values = liftTinyUnits(rows, layout, into: search.lifted).first
      }
      isTame = isTame && isReachable
      table.pointee.shared_values(
        constants.shared, scratch.scaleCodes, hasSubscales ? search.subscales : nil, units,
        blocks.unitsPerBlock, search.scaleValues)
    } else {
      let isReachable = table.pointee.two_level_multipliers(
        constants.twoLevel, search.unitMaxima, units, scratch.scaleCodes, search.multipliers)
      isTame = isTame && isReachable
      table.pointee.decode(
        constants.scaleElement, BK_SCALE_NONE, scratch.scaleCodes, units, nil, 1, 1,
        search.scaleValues)
    }
    let scaled = UnitValues(
      values: values, count: blocks.count, unit: blocks.unit,
      multipliers: UnsafePointer(search.multipliers),
      scaleValues: UnsafePointer(search.scaleValues), randomWords: blocks.randomWords)
    _ = encode(scaled, isTame: isTame, prefetch: 0, into: search.codes)
    table.pointee.decode(
      constants.element, scaling, search.codes, blocks.count, search.scaleValues,
      blocks.unit, constants.tensorScale.decode, search.decoded)
    table.pointee.squared_errors(
      blocks.values, search.decoded, blocks.blocks, blocks.length, search.errors)
  }

  private mutating func gather(
    _ rows: PanelRows, _ panel: PanelGrid.Panel, _ shape: Shape
  ) -> Gathered {
    let columns = grid.blockColumns
    let unit = hasSubscales ? grid.unitRows * grid.unitColumns : 1
    let length = (shape.rows * columns + unit - 1) / unit * unit
    let isRandom = constants.element.pointee.rounding == BK_STOCHASTIC
    // A column block cut to one row may need padding to a whole unit.
    if shape.rows == 1 && length == columns && shape.columns == shape.blocks * columns {
      return Gathered(
        values: rows.first, randomWords: randomWords(of: panel.base, shape.columns),
        blocks: shape.blocks, length: length, unit: hasSubscales ? unit : length)
    }
    let (gathered, gatheredWords) = (search.values, search.randomWords)
    gathered.update(repeating: 0, count: shape.blocks * length)
    if isRandom { gatheredWords.update(repeating: 0, count: shape.blocks * length) }
    for row in 0..<shape.rows {
      let words = randomWords(of: panel.base + row * panel.stride, shape.columns)
      let values = rows.row(row)
      for block in 0..<shape.blocks {
        let first = block * columns
        let count = min(columns, shape.columns - first)
        // Rows of a short block follow each other as closely as those of a full one.
        let target = block * length + row * count
        for column in 0..<count {
          gathered[target + column] = values[first + column]
          if let words { gatheredWords[target + column] = words[first + column] }
        }
      }
    }
    return Gathered(
      values: UnsafePointer(gathered),
      randomWords: isRandom ? UnsafePointer(gatheredWords) : nil, blocks: shape.blocks,
      length: length, unit: hasSubscales ? unit : length)
  }
}
