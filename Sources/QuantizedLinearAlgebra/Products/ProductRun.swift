import BlockFormats
internal import CBlockKernels
internal import CProductKernels
import NumericSupport

/// One product of a left operand with one matrix of a prepared batch.
///
/// Rows of the left operand are packed some megabytes at a time; then each panel of columns meets
/// them block by block. Nothing of this order shows in a result.
struct ProductRun {
  let prepared: PreparedMatrix
  /// Which matrix of the batch.
  let index: Int
  let epilogue: ProductEpilogue
  let parallelism: Parallelism
  let workspace: ProductWorkspace

  /// How the rows lie: as the panels do, or widened where that is quicker.
  let layout: OperandLayout
  private let left: LeftOperand

  init(
    _ left: LeftOperand, _ prepared: PreparedMatrix, index: Int, epilogue: ProductEpilogue,
    parallelism: Parallelism, workspace: ProductWorkspace
  ) {
    self.left = left
    self.prepared = prepared
    self.index = index
    self.epilogue = epilogue
    self.parallelism = parallelism
    self.workspace = workspace
    let meetsNarrow = prepared.panels.layout.row.narrow != nil
    let row = OperandLayout(
      prepared.definition, as: .rows, kernels: prepared.kernels, meetsNarrow: meetsNarrow)
    let widens =
      left.rowCount > PanelMultiplier.fewRows
      ? row.runs == nil && prepared.kernels.widens(row.unit)
      : meetsNarrow && row.unit == .bfloat16
    layout = widens ? row.widened : row
  }

  /// Bytes of packed rows at a time: they stay in a last-level cache.
  private static let packedByteCount = 8 << 20
  /// Bytes of packed rows that meet all panels in turn: a part of a second-level cache.
  private static let blockByteCount = 384 << 10
  /// Blocks have a multiple of this number of rows, which the tiles of every level divide.
  private static let rowUnit = 84

  /// Computes the product.
  func multiply(into result: MutableMatrixRows) {
    guard result.rowCount > 0, result.columnCount > 0 else { return }
    let source = RowSource(left, for: self)
    let most = max(
      source.bandRows,
      Self.packedByteCount / max(layout.rowByteCount, 1) / source.bandRows
        * source.bandRows)
    var first = 0
    while first < result.rowCount {
      let rows = first..<min(first + most, result.rowCount)
      let block = source.load(rows, for: self)
      multiply(block, tensorScale: source.tensorScale, rows: rows, into: result)
      first = rows.upperBound
    }
  }

  /// Packed rows and how they meet the panels.
  struct Block: Sendable {
    /// The first row and what follows; nobody writes there until the next block is loaded.
    nonisolated(unsafe) let operand: BKRows
    let meeting: OperandRange.Meeting

    func rows(_ range: Range<Int>, of layout: OperandLayout) -> BKRows {
      let groups = layout.groupCount
      return BKRows(
        elements: operand.elements + range.lowerBound * operand.stride, stride: operand.stride,
        scales: operand.scales.map { $0 + range.lowerBound * groups },
        offsets: operand.offsets.map { $0 + range.lowerBound * groups * layout.offsetsPerGroup },
        middles: operand.middles.map { $0 + range.lowerBound * groups },
        sums: operand.sums.map { $0 + range.lowerBound * groups }, rows: range.count)
    }
  }

  private func multiply(
    _ block: Block, tensorScale: Float, rows: Range<Int>, into result: MutableMatrixRows
  ) {
    let panelCount = prepared.panels.layout.panelCount
    let blockRows =
      max(
        1, Self.blockByteCount / max(block.operand.stride, 1) / Self.rowUnit) * Self.rowUnit
    let blockCount = (rows.count + blockRows - 1) / blockRows
    let items = blockCount * panelCount
    let shape = BKProductShape(
      unit: layout.kernelUnit,
      scale_product: block.meeting.scaleProduct.code,
      flushes: block.meeting.flushes, groups: layout.groupCount,
      words: layout.wordCount,
      scale_unit: Double.scaled(1, byPowerOfTwo: prepared.definition.scaleExponent),
      run: layout.runs?.wordCount ?? 0)
    let kernels = prepared.kernels
    let isDecoded = layout.unit == .float32
    let finish = Finish(
      epilogue: epilogue,
      tensorScale: ScaleProduct(tensorScale, isDecoded ? 1 : prepared.tensorScale),
      result: result, kernels: kernels)
    let (firstPanel, layout, panelScale) = (index * panelCount, layout, prepared.tensorScale)
    let isWhole = left.rowCount > PanelMultiplier.fewRows
    prepared.panels.withColumns { panels in
      parallelism.share(
        items, among: workspace.workers(parallelism.workerCount(forItems: items), layout)
      ) { memory, item in
        let (part, panel) = item.quotientAndRemainder(dividingBy: panelCount)
        let range = part * blockRows..<min((part + 1) * blockRows, rows.count)
        let multiplier = PanelMultiplier(
          shape: shape, panels: panels, panel: firstPanel + panel,
          tensorScale: panelScale, kernels: kernels, isWhole: isWhole, memory: memory)
        finish.store(
          rows: rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound,
          panel: panel, memory: memory
        ) { result in
          multiplier.multiply(block.rows(range, of: layout), into: result)
        }
      }
    }
  }
}
