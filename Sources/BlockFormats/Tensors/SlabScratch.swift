/// Scratch memory for the unpacked codes of one slab, reused from slab to slab.
struct SlabScratch: ~Copyable {
  /// The codes of the slab, by field.
  private let slabCodes: UnsafeMutablePointer<UnsafeMutableBufferPointer<UInt32>>
  /// The codes of one block, gathered, by field; empty where blocks are contiguous.
  private let blockCodes: UnsafeMutablePointer<UnsafeMutableBufferPointer<UInt32>>
  /// What a format sees: the codes of one block, in one of the two memories above.
  private let parts: UnsafeMutablePointer<UnsafeMutableBufferPointer<UInt32>>
  /// One block's values, gathered; empty where blocks are contiguous.
  let blockValues: UnsafeMutableBufferPointer<Float>
  private let fieldCount: Int

  /// Memory for the slabs of a grid that has at least one.
  ///
  /// - Parameter levels: holds the codes of what spans the tensor.
  init(_ grid: BlockGrid, _ levels: TensorLevels) {
    let slab = grid.slab(0)
    let elements = grid.elements(ofBlock: 0, in: slab)
    let isContiguous = elements.isContiguous
    fieldCount = grid.fields.count
    (slabCodes, blockCodes, parts) = (
      .allocate(capacity: fieldCount), .allocate(capacity: fieldCount),
      .allocate(capacity: fieldCount)
    )
    for (index, field) in grid.fields.enumerated() {
      let shared = levels.codes(index)
      let count = shared?.count ?? grid.range(of: field, in: slab).count
      let codes = UnsafeMutableBufferPointer<UInt32>.zeros(count)
      if let shared { _ = codes.update(fromContentsOf: shared) }
      (slabCodes + index).initialize(to: codes)
      let own = grid.codes(of: field, ofBlock: 0, in: slab, elements: elements).count
      (blockCodes + index).initialize(to: .zeros(isContiguous ? 0 : own))
      (parts + index).initialize(to: codes)
    }
    blockValues = .zeros(isContiguous ? 0 : elements.count)
  }

  deinit {
    for index in 0..<fieldCount {
      slabCodes[index].deallocate()
      blockCodes[index].deallocate()
    }
    slabCodes.deallocate()
    blockCodes.deallocate()
    parts.deallocate()
    blockValues.deallocate()
  }

  /// The codes of a field of the slab.
  func codes(_ field: Int) -> UnsafeMutableBufferPointer<UInt32> { slabCodes[field] }

  /// The codes of a block: in place where it is contiguous, else in the block's own memory.
  ///
  /// What spans the tensor stays as it is.
  func fields(
    ofBlock index: Int, in slab: BlockGrid.Slab, _ grid: BlockGrid, elements: BlockGrid.Region
  ) -> BlockFields {
    for (field, place) in grid.fields.enumerated() where place.spacing != .perTensor {
      let region = grid.codes(of: place, ofBlock: index, in: slab, elements: elements)
      parts[field] = UnsafeMutableBufferPointer(
        rebasing: elements.isContiguous
          ? slabCodes[field][region.range] : blockCodes[field][..<region.count])
    }
    return BlockFields(parts: parts, fieldCount: fieldCount)
  }

  /// Copies the codes of a block that is not contiguous from the slab into its own memory.
  func gatherCodes(
    ofBlock index: Int, in slab: BlockGrid.Slab, _ grid: BlockGrid, elements: BlockGrid.Region
  ) {
    for (field, place) in grid.fields.enumerated() where place.spacing != .perTensor {
      grid.codes(of: place, ofBlock: index, in: slab, elements: elements)
        .gather(from: UnsafeBufferPointer(slabCodes[field]), into: blockCodes[field])
    }
  }

  /// The inverse of `gatherCodes`.
  func scatterCodes(
    ofBlock index: Int, in slab: BlockGrid.Slab, _ grid: BlockGrid, elements: BlockGrid.Region
  ) {
    for (field, place) in grid.fields.enumerated() where place.spacing != .perTensor {
      grid.codes(of: place, ofBlock: index, in: slab, elements: elements)
        .scatter(UnsafeBufferPointer(blockCodes[field]), into: slabCodes[field])
    }
  }
}
