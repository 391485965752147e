/// Encodes slabs on one thread: gathers blocks, calls the format, scatters its codes.
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
      let elements = grid.elements(ofBlock: index, in: slab)
      context.indices = ElementIndices(base: levels.firstElement + slab.base, elements)
      var fields = scratch.fields(ofBlock: index, in: slab, grid, elements: elements)
      if elements.isContiguous {
        encode(UnsafeBufferPointer(rebasing: values[elements.range]), &fields)
      } else {
        let gathered = UnsafeMutableBufferPointer(
          rebasing: scratch.blockValues[..<elements.count])
        elements.gather(from: values, into: gathered)
        encode(UnsafeBufferPointer(gathered), &fields)
        scratch.scatterCodes(ofBlock: index, in: slab, grid, elements: elements)
      }
      tally += fields.tally
    }
  }

  private func encode(_ values: UnsafeBufferPointer<Float>, _ fields: inout BlockFields) {
    if let block = levels.block {
      fields.encodeMultiplier = block.encodeMultiplier
    } else {
      format.encodeScale(
        of: values.span, statistics: ValueStatistics(values), context: context, into: &fields)
    }
    format.encodeElements(of: values.span, context: context, into: &fields)
  }
}
