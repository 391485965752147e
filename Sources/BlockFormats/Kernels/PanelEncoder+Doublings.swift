internal import CBlockKernels

/// Blocks whose parts are doubled: kernels encode them up to the first one that is unusual, the format
/// itself encodes that one, and so on.
extension PanelEncoder {
  /// Encodes the blocks of a panel into packed planes.
  mutating func encodeDoubled(_ panel: PanelGrid.Panel, into planes: KernelPlanes) {
    let values = rows(of: panel).first
    var (overflows, done) = (0, 0)
    while true {
      let places = planes.doubledPlaces(of: panel.dropping(done, grid))
      done += table.pointee.encode_doubled(
        constants.element, constants.doublings, values + done, panel.columns - done, places.codes,
        places.scales, places.outer, places.inner, &overflows, constants.workspace)
      guard done < panel.columns else { break }
      let count = min(Int(BK_DOUBLED_BLOCK), panel.columns - done)
      let block = planes.doubledPlaces(of: panel.dropping(done, grid))
      let layout = plan.layout
      encode(values + done, count, at: panel.base + done, by: plan.format) { _, fields in
        func store(_ field: Int?, _ bitWidth: Int, in bytes: UnsafeMutablePointer<UInt8>) {
          guard let field else { return }
          let codes = UnsafeBufferPointer(fields.codes(field))
          let byteCount = (codes.count * bitWidth + 7) / 8
          BitPacking.pack(
            codes, bitWidth: bitWidth,
            into: UnsafeMutableBufferPointer(start: bytes, count: byteCount))
        }
        store(0, planes.codes.bitWidth, in: block.codes)
        store(layout.factors.scale?.field, planes.scales.bitWidth, in: block.scales)
        store(layout.outerDoubling, 1, in: block.outer)
        store(layout.innerDoubling, 1, in: block.inner)
      }
      done += count
    }
    tally.saturatedCount += overflows
  }

  /// Encodes the blocks of a panel and decodes them again.
  mutating func reconstructDoubled(
    _ panel: PanelGrid.Panel, into output: PanelOutput, exactBlocks: ExactBlockCounting
  ) {
    let values = rows(of: panel).first
    // In place, values must survive until they are compared.
    let direct =
      input.base == UnsafeRawPointer(output.base) ? nil : output.target(panel.base)
    let target = direct ?? scratch.decoded
    let blockCount = Shape(panel, grid).blocks
    let flags = exactBlocks == .counted ? scratch.flags : nil
    flags?.update(repeating: 0, count: blockCount)
    var (overflows, done) = (0, 0)
    while true {
      let first = done / Int(BK_DOUBLED_BLOCK)
      done += table.pointee.quantize_doubled(
        constants.element, constants.doublings, values + done, panel.columns - done,
        target + done, direct != nil && output.streams, flags.map { $0 + first }, &overflows,
        constants.workspace)
      guard done < panel.columns else { break }
      let count = min(Int(BK_DOUBLED_BLOCK), panel.columns - done)
      reconstruct(values + done, count, at: panel.base + done, by: plan.format, into: target + done)
      if let flags {
        table.pointee.mark_inexact(
          values + done, target + done, count, count, flags + done / Int(BK_DOUBLED_BLOCK))
      }
      done += count
    }
    if direct == nil { output.store(target, panel.columns, at: panel.base, table) }
    tally.saturatedCount += overflows
    if let flags {
      exactBlockCount += UnsafeBufferPointer(start: flags, count: blockCount).count { $0 == 0 }
    }
  }

  /// Encodes a block by its format and decodes it again.
  private mutating func reconstruct(
    _ values: UnsafePointer<Float>, _ count: Int, at index: Int, by format: some BlockFormat,
    into target: UnsafeMutablePointer<Float>
  ) {
    encode(values, count, at: index, by: format) { context, fields in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { decoded in
        decoded.initialize(repeating: 0)
        var span = decoded.mutableSpan
        format.decode(fields, context: context, into: &span)
        // The caller's memory may lie at any address.
        UnsafeMutableRawPointer(target).copyMemory(
          from: UnsafeRawBufferPointer(decoded).baseAddress ?? UnsafeRawPointer(target),
          byteCount: 4 * count)
      }
    }
  }

  /// Encodes a block by its format, and runs `body` with its fields and what decodes them.
  mutating func encode(
    _ values: UnsafePointer<Float>, _ count: Int, at index: Int, by format: some BlockFormat,
    _ body: (borrowing DecodingContext, BlockFields) -> Void
  ) {
    var context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: constants.tensorScale)
    context.indices = ElementIndices(
      base: firstElement + index, BlockGrid.Region(offset: 0, columns: count))
    let memory = BlockScratch(counts: format.layout.codeCounts(ofBlock: count))
    var fields = memory.fields
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { block in
      UnsafeMutableRawBufferPointer(block).copyMemory(
        from: UnsafeRawBufferPointer(start: values, count: 4 * count))
      let values = UnsafeBufferPointer(block)
      format.encodeScale(
        of: values.span, statistics: ValueStatistics(values), context: context, into: &fields)
      format.encodeElements(of: values.span, context: context, into: &fields)
    }
    tally += fields.tally
    body(context.decoding, fields)
  }
}
