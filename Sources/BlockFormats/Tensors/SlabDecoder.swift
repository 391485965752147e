/// Decodes slabs on one thread: gathers fields, calls the format, scatters its values.
struct SlabDecoder<Format: BlockFormat>: ~Copyable {
  private let format: Format
  private let grid: BlockGrid
  private let sharedScale: UInt32?
  private let context: DecodingContext

  init(format: Format, grid: BlockGrid, levels: TensorLevels) {
    self.format = format
    self.grid = grid
    sharedScale = levels.blockScale?.scale
    context = DecodingContext(layout: format.layout, tensorScale: levels.tensorScale.decode)
  }

  /// Decodes the fields of a slab into the whole tensor's values.
  func decode(
    _ slab: BlockGrid.Slab, from scratch: borrowing SlabScratch,
    into tensor: UnsafeMutableBufferPointer<Float>
  ) {
    let output = UnsafeMutableBufferPointer(rebasing: tensor[slab.base..<slab.base + slab.count])
    for index in 0..<slab.blockCount {
      let block = grid.block(index, of: slab)
      var fields = scratch.fields(of: block)
      fields.scale = sharedScale ?? (scratch.scales.isEmpty ? 0 : scratch.scales[index])
      if block.isContiguous {
        format.decode(
          fields, context: context,
          into: UnsafeMutableBufferPointer(rebasing: output[block.elements.range]))
      } else {
        block.codes.gather(from: UnsafeBufferPointer(scratch.codes), into: fields.codes)
        block.subscales.gather(
          from: UnsafeBufferPointer(scratch.subscales), into: fields.subscales)
        let decoded = UnsafeMutableBufferPointer(
          rebasing: scratch.blockValues[..<block.elements.count])
        format.decode(fields, context: context, into: decoded)
        block.elements.scatter(UnsafeBufferPointer(decoded), into: output)
      }
    }
  }

  /// The number of blocks of a slab in which every value decoded to itself, NaN to NaN.
  func exactBlockCount(
    of slab: BlockGrid.Slab, decoded: UnsafeMutableBufferPointer<Float>,
    original: UnsafeBufferPointer<Float>
  ) -> Int {
    var count = 0
    for index in 0..<slab.blockCount
    where isExact(grid.block(index, of: slab).elements, slab.base, decoded, original) {
      count += 1
    }
    return count
  }

  private func isExact(
    _ region: BlockGrid.Region, _ base: Int, _ decoded: UnsafeMutableBufferPointer<Float>,
    _ original: UnsafeBufferPointer<Float>
  ) -> Bool {
    for row in 0..<region.rows {
      for column in 0..<region.columns {
        let index =
          base + region.offset + row * region.rowStride + column * region.columnStride
        let (x, y) = (original[index], decoded[index])
        if x != y && !(x.isNaN && y.isNaN) { return false }
      }
    }
    return true
  }
}
