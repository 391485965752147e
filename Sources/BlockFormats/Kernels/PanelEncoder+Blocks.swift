internal import CBlockKernels
import NumericSupport

/// Memory for blocks that follow each other, and for what they store.
final class BlockMemory {
  let values: UnsafeMutablePointer<Float>
  let codes: UnsafeMutablePointer<UInt8>
  let randomWords: UnsafeMutablePointer<UInt32>
  /// Scales and offsets, as bytes of the stored type.
  let scales: UnsafeMutablePointer<UInt8>
  let offsets: UnsafeMutablePointer<UInt8>

  /// One allocation, as in `PanelScratch`.
  private let memory: UnsafeMutableRawPointer

  /// Memory for the panels of a grid.
  init(_ grid: PanelGrid) {
    let blocks = (grid.columns + grid.blockColumns - 1) / grid.blockColumns
    let count = grid.rows * grid.columns
    let several = grid.rows > 1 ? count : 0
    var cuts = MemoryCuts()
    let valuesAt = cuts.cut(Float.self, count: several)
    let codesAt = cuts.cut(UInt8.self, count: count)
    let randomWordsAt = cuts.cut(UInt32.self, count: several)
    let scalesAt = cuts.cut(Float.self, count: blocks)
    let offsetsAt = cuts.cut(Float.self, count: blocks)
    memory = .allocate(byteCount: cuts.byteCount, alignment: 16)
    values = (memory + valuesAt).bindMemory(to: Float.self, capacity: several)
    codes = (memory + codesAt).bindMemory(to: UInt8.self, capacity: count)
    randomWords = (memory + randomWordsAt).bindMemory(to: UInt32.self, capacity: several)
    scales = (memory + scalesAt).bindMemory(to: UInt8.self, capacity: 4 * blocks)
    offsets = (memory + offsetsAt).bindMemory(to: UInt8.self, capacity: 4 * blocks)
  }

  deinit {
    memory.deallocate()
  }
}

/// Blocks that follow each other.
private struct BlockRun {
  var values: UnsafePointer<Float>
  var randomWords: UnsafePointer<UInt32>?
  /// The index in the input of the first element, and how those of a block follow.
  var base: Int
  var region: BlockGrid.Region
  /// The elements of all, of which the last block may have fewer than the region.
  var count: Int
  var codes: UnsafeMutablePointer<UInt8>
  var scales: UnsafeMutablePointer<UInt8>
  var offsets: UnsafeMutablePointer<UInt8>?
}

extension PanelEncoder {
  private var storedByteCount: Int { constants.coder.pointee.stored.byteCount }
  private var hasOffsets: Bool { scaling == BK_SCALE_LINE }

  /// The columns of a row that are worked on at a time: whole bytes of everything packed.
  private var blockColumnsAtOnce: Int {
    let unit = 8 * grid.blockColumns
    return max(1, 4096 / unit) * unit
  }

  /// Encodes the blocks of a panel into packed planes.
  mutating func encodeBlocks(_ panel: PanelGrid.Panel, into planes: KernelPlanes) {
    let source = rows(of: panel)
    let width = constants.element.pointee.width
    let scales = planes.scales.bytes(row: panel.scales.row, panel.scales.column)
    let offsets =
      hasOffsets ? planes.offsets.bytes(row: panel.scales.row, panel.scales.column) : nil
    guard panel.rows == 1 else {
      encodeColumns(source, panel, scales: scales, offsets: offsets)
      for row in 0..<panel.rows {
        gatherCodes(ofRow: row, panel)
        table.pointee.pack(
          scratch.codes, panel.columns, width,
          planes.codes.bytes(row: panel.codes.row + row * panel.rowStep, panel.codes.column))
      }
      return
    }
    let bytes = planes.codes.bytes(row: panel.codes.row, panel.codes.column)
    for first in stride(from: 0, to: panel.columns, by: blockColumnsAtOnce) {
      let count = min(blockColumnsAtOnce, panel.columns - first)
      let place = first / grid.blockColumns * storedByteCount
      let target = bytes + first * Int(width) / 8
      let codes = width == 8 ? target : blocks.codes
      encode(
        row(source, panel, first, count, codes, scales + place, offsets.map { $0 + place }))
      if width < 8 { table.pointee.pack(codes, count, width, target) }
    }
  }

  /// Encodes the blocks of a panel and decodes them again.
  mutating func reconstructBlocks(
    _ panel: PanelGrid.Panel, into output: PanelOutput, exactBlocks: ExactBlockCounting
  ) {
    let source = rows(of: panel)
    let shape = Shape(panel, grid)
    if exactBlocks == .counted { scratch.flags.update(repeating: 0, count: shape.blocks) }
    if panel.rows > 1 {
      encodeColumns(source, panel, scales: blocks.scales, offsets: blocks.offsets)
      loadNumbers(shape.blocks)
      for row in 0..<panel.rows {
        gatherCodes(ofRow: row, panel)
        decode(
          scratch.codes, panel.columns, source.row(row), at: panel.base + row * panel.stride,
          flags: 0, into: output, exactBlocks)
      }
    } else {
      for first in stride(from: 0, to: panel.columns, by: blockColumnsAtOnce) {
        let count = min(blockColumnsAtOnce, panel.columns - first)
        encode(row(source, panel, first, count, blocks.codes, blocks.scales, blocks.offsets))
        loadNumbers((count + grid.blockColumns - 1) / grid.blockColumns)
        decode(
          blocks.codes, count, source.first + first, at: panel.base + first,
          flags: first / grid.blockColumns, into: output, exactBlocks)
      }
    }
    if exactBlocks == .counted {
      let flags = UnsafeBufferPointer(start: scratch.flags, count: shape.blocks)
      exactBlockCount += flags.count { $0 == 0 }
    }
  }

  /// What codes are multiplied by and what is added, from the stored numbers of some blocks.
  private mutating func loadNumbers(_ count: Int) {
    let stored = constants.coder.pointee.stored
    table.pointee.widen(stored, blocks.scales, count, scratch.scaleValues)
    if hasOffsets { table.pointee.widen(stored, blocks.offsets, count, scratch.offsetValues) }
  }

  /// Decodes a row, or a part of it, to its place.
  private mutating func decode(
    _ codes: UnsafePointer<UInt8>, _ count: Int, _ values: UnsafePointer<Float>, at index: Int,
    flags: Int, into output: PanelOutput, _ exactBlocks: ExactBlockCounting
  ) {
    // In place, values must survive until they are compared.
    let direct =
      exactBlocks == .counted && input.base == UnsafeRawPointer(output.base)
      ? nil : output.direct(index)
    let target = direct ?? scratch.decoded
    let unit = grid.blockColumns
    if hasOffsets {
      table.pointee.decode_lines(
        constants.element, codes, count, scratch.scaleValues, scratch.offsetValues, unit, target)
    } else {
      table.pointee.decode(
        constants.element, scaling, codes, count, scratch.scaleValues, unit, 1, target)
    }
    if exactBlocks == .counted {
      table.pointee.mark_inexact(
        values, target, count, grid.blockColumns, scratch.flags + flags)
    }
    if direct == nil { output.store(target, count, at: index, table) }
  }

  /// Blocks of a row.
  private mutating func row(
    _ source: PanelRows, _ panel: PanelGrid.Panel, _ first: Int, _ count: Int,
    _ codes: UnsafeMutablePointer<UInt8>, _ scales: UnsafeMutablePointer<UInt8>,
    _ offsets: UnsafeMutablePointer<UInt8>?
  ) -> BlockRun {
    BlockRun(
      values: source.first + first, randomWords: randomWords(of: panel.base + first, count),
      base: panel.base + first, region: BlockGrid.Region(offset: 0, columns: grid.blockColumns),
      count: count, codes: codes, scales: scales, offsets: hasOffsets ? offsets : nil)
  }

  /// Encodes the blocks of a panel of several rows, one after the other, each with its rows.
  private mutating func encodeColumns(
    _ source: PanelRows, _ panel: PanelGrid.Panel, scales: UnsafeMutablePointer<UInt8>,
    offsets: UnsafeMutablePointer<UInt8>?
  ) {
    let (values, words, codes) = (blocks.values, blocks.randomWords, blocks.codes)
    var isRandom = false
    for row in 0..<panel.rows {
      let random = randomWords(of: panel.base + row * panel.stride, panel.columns)
      isRandom = random != nil
      let from = source.row(row)
      forEachPart(ofRow: row, panel) { column, place, count in
        (values + place).update(from: from + column, count: count)
        if let random { (words + place).update(from: random + column, count: count) }
      }
    }
    let full = panel.columns / grid.blockColumns * grid.blockColumns
    for (first, columns) in [(0, full), (full, panel.columns - full)] where columns > 0 {
      let place = first / grid.blockColumns * storedByteCount
      let start = first * panel.rows
      encode(
        BlockRun(
          values: UnsafePointer(values + start),
          randomWords: isRandom ? UnsafePointer(words + start) : nil, base: panel.base + first,
          region: BlockGrid.Region(
            offset: 0, rows: panel.rows, rowStride: panel.stride,
            columns: min(columns, grid.blockColumns)),
          count: columns * panel.rows, codes: codes + start, scales: scales + place,
          offsets: hasOffsets ? offsets.map { $0 + place } : nil))
    }
  }

  /// The parts of a row that each block has: column, place among the values of all blocks, and length.
  private func forEachPart(
    ofRow row: Int, _ panel: PanelGrid.Panel, _ body: (Int, Int, Int) -> Void
  ) {
    for column in stride(from: 0, to: panel.columns, by: grid.blockColumns) {
      let count = min(grid.blockColumns, panel.columns - column)
      body(column, column * panel.rows + row * count, count)
    }
  }

  /// Puts the codes of a row of the panel, which lie in its blocks, beside each other.
  private mutating func gatherCodes(ofRow row: Int, _ panel: PanelGrid.Panel) {
    let (from, to) = (blocks.codes, scratch.codes)
    forEachPart(ofRow: row, panel) { column, place, count in
      (to + column).update(from: from + place, count: count)
    }
  }

  /// Encodes blocks: by kernels, and where those stop, some of them by the format itself.
  private mutating func encode(_ run: BlockRun) {
    let block = run.region.count
    constants.coder.pointee.block = block
    var (overflows, done) = (0, 0)
    while true {
      let place = done / block * storedByteCount
      done += table.pointee.encode_blocks(
        constants.coder, run.values + done, run.count - done, run.randomWords.map { $0 + done },
        run.codes + done, run.scales + place, run.offsets.map { $0 + place }, &overflows)
      guard done < run.count else { break }
      let end = min(done + max(1, 512 / block) * block, run.count)
      encode(done..<end, of: run, by: plan.format)
      done = end
    }
    tally.saturatedCount += overflows
  }

  /// Encodes some blocks by their format.
  private mutating func encode(_ range: Range<Int>, of run: BlockRun, by format: some BlockFormat) {
    let (layout, block) = (plan.layout, run.region.count)
    let fieldOfScale = layout.factors.scale?.field ?? 0
    var context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: constants.tensorScale)
    for first in stride(from: range.lowerBound, to: range.upperBound, by: block) {
      let count = min(block, range.upperBound - first)
      let index = first / block
      // Blocks of several rows lie beside each other, those of one row behind each other.
      var region = run.region
      region.columns = region.rows == 1 ? count : region.columns
      context.indices = ElementIndices(
        base: firstElement + run.base + index * run.region.columns, region)
      let memory = BlockScratch(counts: format.layout.codeCounts(ofBlock: count))
      var fields = memory.fields
      let values = UnsafeBufferPointer(start: run.values + first, count: count).span
      format.encodeScale(
        of: values, statistics: ValueStatistics(values), context: context, into: &fields)
      format.encodeElements(of: values, context: context, into: &fields)
      for position in 0..<count {
        run.codes[first + position] = UInt8(truncatingIfNeeded: fields[0, position])
      }
      store(fields[fieldOfScale, 0], in: run.scales, index)
      if let offsets = run.offsets, let offset = layout.offset {
        store(fields[offset.field, 0], in: offsets, index)
      }
      tally += fields.tally
    }
  }

  /// Stores the code of a number as its bytes.
  private func store(_ code: UInt32, in numbers: UnsafeMutablePointer<UInt8>, _ index: Int) {
    let size = storedByteCount
    for byte in 0..<size {
      numbers[index * size + byte] = UInt8(truncatingIfNeeded: code >> UInt32(8 * byte))
    }
  }
}
