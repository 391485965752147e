/// Scratch memory for the unpacked fields of one slab, reused from slab to slab.
struct SlabScratch: ~Copyable {
  /// The fields of the slab.
  let codes: UnsafeMutableBufferPointer<UInt32>
  let scales: UnsafeMutableBufferPointer<UInt32>
  let subscales: UnsafeMutableBufferPointer<UInt32>
  /// One block, gathered; empty where blocks are contiguous.
  let blockValues: UnsafeMutableBufferPointer<Float>
  let blockCodes: UnsafeMutableBufferPointer<UInt32>
  let blockSubscales: UnsafeMutableBufferPointer<UInt32>

  /// Memory for the slabs of a grid that has at least one.
  init(_ grid: BlockGrid) {
    let slab = grid.slab(0)
    let block = grid.block(0, of: slab)
    func zeros<Entry: ExpressibleByIntegerLiteral>(
      _ count: Int
    ) -> UnsafeMutableBufferPointer<Entry> {
      let buffer = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count)
      buffer.initialize(repeating: 0)
      return buffer
    }
    codes = zeros(slab.codes.count)
    scales = zeros(slab.scales.count)
    subscales = zeros(slab.subscales.count)
    blockValues = zeros(block.isContiguous ? 0 : block.elements.count)
    blockCodes = zeros(block.isContiguous ? 0 : block.codes.count)
    blockSubscales = zeros(block.isContiguous ? 0 : block.subscales.count)
  }

  deinit {
    codes.deallocate()
    scales.deallocate()
    subscales.deallocate()
    blockValues.deallocate()
    blockCodes.deallocate()
    blockSubscales.deallocate()
  }

  /// The fields of a block: in place where it is contiguous, else in the block's own memory.
  func fields(of block: BlockGrid.Block) -> BlockFields {
    func part(
      _ region: BlockGrid.Region, _ slab: UnsafeMutableBufferPointer<UInt32>,
      _ own: UnsafeMutableBufferPointer<UInt32>
    ) -> UnsafeMutableBufferPointer<UInt32> {
      block.isContiguous
        ? UnsafeMutableBufferPointer(rebasing: slab[region.range])
        : UnsafeMutableBufferPointer(rebasing: own[..<region.count])
    }
    return BlockFields(
      subscales: part(block.subscales, subscales, blockSubscales),
      codes: part(block.codes, codes, blockCodes))
  }
}
