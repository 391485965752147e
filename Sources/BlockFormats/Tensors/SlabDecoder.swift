/// Decodes slabs on one thread: gathers fields, calls the format, scatters its values.
struct SlabDecoder<Format: BlockFormat>: ~Copyable {
  private let format: Format
  private let grid: BlockGrid
  private let context: DecodingContext

  init(format: Format, grid: BlockGrid, levels: TensorLevels) {
    self.format = format
    self.grid = grid
    context = DecodingContext(layout: format.layout, tensorScale: levels.tensorScale.decode)
  }

  /// Decodes the fields of a slab into the whole tensor's values.
  ///
  /// A format sees memory that holds zeros: the caller's may hold nothing yet.
  func decode(
    _ slab: BlockGrid.Slab, from scratch: borrowing SlabScratch,
    into tensor: UnsafeMutableBufferPointer<Float>
  ) {
    let output = UnsafeMutableBufferPointer(rebasing: tensor[slab.base..<slab.base + slab.count])
    for index in 0..<slab.blockCount {
      let elements = grid.elements(ofBlock: index, in: slab)
      let fields = scratch.fields(ofBlock: index, in: slab, grid, elements: elements)
      if elements.isContiguous {
        let decoded = UnsafeMutableBufferPointer(rebasing: output[elements.range])
        decoded.initialize(repeating: 0)
        var span = decoded.mutableSpan
        format.decode(fields, context: context, into: &span)
      } else {
        scratch.gatherCodes(ofBlock: index, in: slab, grid, elements: elements)
        let decoded = UnsafeMutableBufferPointer(
          rebasing: scratch.blockValues[..<elements.count])
        decoded.initialize(repeating: 0)
        var span = decoded.mutableSpan
        format.decode(fields, context: context, into: &span)
        elements.scatter(UnsafeBufferPointer(decoded), into: output)
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
    where isExact(grid.elements(ofBlock: index, in: slab), slab.base, decoded, original) {
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
