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
  /// All rows, widened, and all rows with tiny values lifted.
  let values: UnsafeMutablePointer<Float>
  let lifted: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - holdsValues: whether the panel's values are copied.
  ///   - isWide: whether codes exceed a byte.
  ///   - hasSubscales: whether blocks have sub-blocks.
  init(_ grid: PanelGrid, holdsValues: Bool, isWide: Bool, hasSubscales: Bool) {
    let columns = grid.columns
    let unitRows = (grid.rows + grid.unitRows - 1) / grid.unitRows
    let units = unitRows * ((columns + grid.unitColumns - 1) / grid.unitColumns)
    let blocks = (columns + grid.blockColumns - 1) / grid.blockColumns
    unitMaxima = .allocate(capacity: units)
    blockMaxima = .allocate(capacity: blocks)
    columnMaxima = .allocate(capacity: columns)
    flags = .allocate(capacity: max(blocks, units))
    scaleCodes = .allocate(capacity: blocks)
    wideScales = .allocate(capacity: blocks)
    subscales = .allocate(capacity: units)
    multipliers = .allocate(capacity: units)
    scaleValues = .allocate(capacity: units)
    offsetValues = .allocate(capacity: blocks)
    codes = .allocate(capacity: columns)
    wideCodes = .allocate(capacity: isWide ? columns : 0)
    decoded = .allocate(capacity: columns)
    randomWords = .allocate(capacity: columns + 4)
    values = .allocate(capacity: holdsValues ? grid.rows * columns : 0)
    lifted = .allocate(capacity: hasSubscales ? grid.rows * columns : 0)
  }

  deinit {
    unitMaxima.deallocate()
    blockMaxima.deallocate()
    columnMaxima.deallocate()
    flags.deallocate()
    scaleCodes.deallocate()
    wideScales.deallocate()
    subscales.deallocate()
    multipliers.deallocate()
    scaleValues.deallocate()
    offsetValues.deallocate()
    codes.deallocate()
    wideCodes.deallocate()
    decoded.deallocate()
    randomWords.deallocate()
    values.deallocate()
    lifted.deallocate()
  }
}
