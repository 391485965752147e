/// Encodes slabs on one thread: gathers blocks, calls the format, scatters its fields.
struct SlabEncoder<Format: BlockFormat>: ~Copyable {
  private let format: Format
  private let grid: BlockGrid
  private let levels: TensorLevels
  private var context: EncodingContext
  /// Events counted so far.
  private(set) var tally = EncodingTally()

  init(format: Format, grid: BlockGrid, policy: EncodingPolicy, levels: TensorLevels) {
    self.format = format
    self.grid = grid
    self.levels = levels
    context = EncodingContext(
      layout: format.layout, policy: policy, tensorScale: levels.tensorScale)
  }

  /// Encodes a slab of the whole tensor's values into scratch memory.
  mutating func encode(
    _ slab: BlockGrid.Slab, of tensor: UnsafeBufferPointer<Float>,
    into scratch: borrowing SlabScratch
  ) {
    let values = UnsafeBufferPointer(rebasing: tensor[slab.base..<slab.base + slab.count])
    for index in 0..<slab.blockCount {
      let block = grid.block(index, of: slab)
      context.indices = ElementIndices(
        base: levels.firstElement + slab.base, block.elements)
      var fields = scratch.fields(of: block)
      if block.isContiguous {
        encode(UnsafeBufferPointer(rebasing: values[block.elements.range]), &fields)
      } else {
        let gathered = UnsafeMutableBufferPointer(
          rebasing: scratch.blockValues[..<block.elements.count])
        block.elements.gather(from: values, into: gathered)
        encode(UnsafeBufferPointer(gathered), &fields)
        block.codes.scatter(UnsafeBufferPointer(fields.codes), into: scratch.codes)
        block.subscales.scatter(UnsafeBufferPointer(fields.subscales), into: scratch.subscales)
      }
      if !scratch.scales.isEmpty { scratch.scales[index] = fields.scale }
      tally += fields.tally
    }
  }

  private func encode(_ values: UnsafeBufferPointer<Float>, _ fields: inout BlockFields) {
    if let shared = levels.blockScale {
      fields.scale = shared.scale
      fields.encodeMultiplier = shared.encodeMultiplier
    } else {
      format.encodeScale(
        of: values, statistics: ValueStatistics(values), context: context, into: &fields)
    }
    format.encodeElements(of: values, context: context, into: &fields)
  }
}
