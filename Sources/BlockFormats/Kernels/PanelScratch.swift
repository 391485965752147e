import NumericSupport

/// Memory for the fields of one panel, reused from panel to panel on one thread.
final class PanelScratch {
  let unitMaxima: UnsafeMutablePointer<UInt32>
  let blockMaxima: UnsafeMutablePointer<UInt32>
  let columnMaxima: UnsafeMutablePointer<UInt32>
  let flags: UnsafeMutablePointer<UInt8>
  /// Scales of up to eight bits, or of 32.
  let scaleCodes: UnsafeMutablePointer<UInt8>
  let wideScales: UnsafeMutablePointer<UInt32>
  let subscales: UnsafeMutablePointer<UInt8>
  /// Those of longer sub-blocks, where there are two kinds.
  let outerSubscales: UnsafeMutablePointer<UInt8>
  /// For every unit: what values are multiplied by, and what codes are.
  let multipliers: UnsafeMutablePointer<Float>
  let scaleValues: UnsafeMutablePointer<Float>
  /// For every block: what is added to products.
  let offsetValues: UnsafeMutablePointer<Float>
  /// One row.
  let codes: UnsafeMutablePointer<UInt8>
  let wideCodes: UnsafeMutablePointer<UInt32>
  let decoded: UnsafeMutablePointer<Float>
  let randomWords: UnsafeMutablePointer<UInt32>
  /// All rows, widened, and all rows with tiny values lifted or without blocks that kernels do not know.
  let values: UnsafeMutablePointer<Float>
  let lifted: UnsafeMutablePointer<Float>

  /// The memory of all of these, which is one allocation: of several, allocators give the last ones back
  /// to the system and ask for them again, call after call.
  private let memory: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - holdsValues: whether the panel's values are copied.
  ///   - isWide: whether codes exceed a byte.
  ///   - hasSubscales: whether blocks have sub-blocks.
  ///   - hasDoublings: whether they have sub-blocks of two kinds.
  init(
    _ grid: PanelGrid, holdsValues: Bool, isWide: Bool, hasSubscales: Bool, hasDoublings: Bool
  ) {
    let columns = grid.columns
    let isReplaced = hasSubscales || hasDoublings
    let unitRows = (grid.rows + grid.unitRows - 1) / grid.unitRows
    let units = unitRows * ((columns + grid.unitColumns - 1) / grid.unitColumns)
    let blocks = (columns + grid.blockColumns - 1) / grid.blockColumns
    var cuts = MemoryCuts()
    let unitMaximaAt = cuts.cut(UInt32.self, count: units)
    let blockMaximaAt = cuts.cut(UInt32.self, count: blocks)
    let columnMaximaAt = cuts.cut(UInt32.self, count: columns)
    let flagsAt = cuts.cut(UInt8.self, count: max(blocks, units))
    let scaleCodesAt = cuts.cut(UInt8.self, count: blocks)
    let wideScalesAt = cuts.cut(UInt32.self, count: blocks)
    let subscalesAt = cuts.cut(UInt8.self, count: units)
    let outerSubscalesAt = cuts.cut(UInt8.self, count: hasDoublings ? units : 0)
    let multipliersAt = cuts.cut(Float.self, count: units)
    let scaleValuesAt = cuts.cut(Float.self, count: units)
    let offsetValuesAt = cuts.cut(Float.self, count: blocks)
    let codesAt = cuts.cut(UInt8.self, count: columns)
    let wideCodesAt = cuts.cut(UInt32.self, count: isWide ? columns : 0)
    let decodedAt = cuts.cut(Float.self, count: columns)
    let randomWordsAt = cuts.cut(UInt32.self, count: columns + 4)
    let valuesAt = cuts.cut(Float.self, count: holdsValues ? grid.rows * columns : 0)
    let liftedAt = cuts.cut(Float.self, count: isReplaced ? grid.rows * columns : 0)
    memory = .allocate(byteCount: cuts.byteCount, alignment: 16)
    unitMaxima = (memory + unitMaximaAt).bindMemory(to: UInt32.self, capacity: units)
    blockMaxima = (memory + blockMaximaAt).bindMemory(to: UInt32.self, capacity: blocks)
    columnMaxima = (memory + columnMaximaAt).bindMemory(to: UInt32.self, capacity: columns)
    flags = (memory + flagsAt).bindMemory(to: UInt8.self, capacity: max(blocks, units))
    scaleCodes = (memory + scaleCodesAt).bindMemory(to: UInt8.self, capacity: blocks)
    wideScales = (memory + wideScalesAt).bindMemory(to: UInt32.self, capacity: blocks)
    subscales = (memory + subscalesAt).bindMemory(to: UInt8.self, capacity: units)
    outerSubscales = (memory + outerSubscalesAt).bindMemory(
      to: UInt8.self, capacity: hasDoublings ? units : 0)
    multipliers = (memory + multipliersAt).bindMemory(to: Float.self, capacity: units)
    scaleValues = (memory + scaleValuesAt).bindMemory(to: Float.self, capacity: units)
    offsetValues = (memory + offsetValuesAt).bindMemory(to: Float.self, capacity: blocks)
    codes = (memory + codesAt).bindMemory(to: UInt8.self, capacity: columns)
    wideCodes = (memory + wideCodesAt).bindMemory(to: UInt32.self, capacity: isWide ? columns : 0)
    decoded = (memory + decodedAt).bindMemory(to: Float.self, capacity: columns)
    randomWords = (memory + randomWordsAt).bindMemory(to: UInt32.self, capacity: columns + 4)
    values = (memory + valuesAt).bindMemory(
      to: Float.self, capacity: holdsValues ? grid.rows * columns : 0)
    lifted = (memory + liftedAt).bindMemory(
      to: Float.self, capacity: isReplaced ? grid.rows * columns : 0)
  }

  deinit { memory.deallocate() }
}
