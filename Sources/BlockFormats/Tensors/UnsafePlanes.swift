/// The packed planes of a tensor, in the order of its layout's fields.
///
/// Slabs start and end on byte boundaries of every plane, so several threads may work on different
/// slabs.
struct UnsafePlanes: @unchecked Sendable {
  private(set) var planes: [UnsafePlane] = []

  /// Packs the codes of a slab.
  func store(_ scratch: borrowing SlabScratch, of slab: BlockGrid.Slab, _ grid: BlockGrid) {
    for (index, plane) in planes.enumerated() {
      let range = grid.range(of: grid.fields[index], in: slab)
      plane.store(scratch.codes(index), rows: range.rows, columns: range.columns)
    }
  }

  /// Unpacks the codes of a slab.
  func load(_ slab: BlockGrid.Slab, _ grid: BlockGrid, into scratch: borrowing SlabScratch) {
    for (index, plane) in planes.enumerated() {
      let range = grid.range(of: grid.fields[index], in: slab)
      plane.load(rows: range.rows, columns: range.columns, into: scratch.codes(index))
    }
  }
}

extension QuantizedTensor {
  /// Runs `body` with the planes, which several threads may write.
  mutating func withUnsafeMutablePlanes<Result>(_ body: (UnsafePlanes) -> Result) -> Result {
    planes.withUnsafeMutableBufferPointer { planes in
      func collect(_ index: Int, _ collected: UnsafePlanes) -> Result {
        guard index < planes.count else { return body(collected) }
        let plane = BitPlane(extentsOf: planes[index])
        return planes[index].bytes.withUnsafeMutableBufferPointer { bytes in
          collect(index + 1, collected.adding(UnsafePlane(plane, over: bytes)))
        }
      }
      return collect(0, UnsafePlanes())
    }
  }

  /// Runs `body` with the planes, which it must only read.
  func withUnsafePlanes<Result>(_ body: (UnsafePlanes) -> Result) -> Result {
    func collect(_ index: Int, _ collected: UnsafePlanes) -> Result {
      guard index < planes.count else { return body(collected) }
      return planes[index].bytes.withUnsafeBufferPointer { bytes in
        let plane = UnsafePlane(
          planes[index], over: UnsafeMutableBufferPointer(mutating: bytes))
        return collect(index + 1, collected.adding(plane))
      }
    }
    return collect(0, UnsafePlanes())
  }
}

extension UnsafePlanes {
  fileprivate func adding(_ plane: UnsafePlane) -> UnsafePlanes {
    var more = self
    more.planes.append(plane)
    return more
  }
}

extension QuantizedTensor {
  /// Stores what a block that spans the tensor has besides its elements.
  mutating func store(_ block: TensorLevels.Block) {
    for index in planes.indices.dropFirst() {
      guard let codes = block.codes(index) else { continue }
      let width = planes[index].bitWidth
      planes[index].bytes.withUnsafeMutableBufferPointer { bytes in
        codes.withUnsafeBufferPointer { BitPacking.pack($0, bitWidth: width, into: bytes) }
      }
    }
  }

  /// What a block that spans the tensor has besides its elements; `nil` in a tensor without elements.
  var wholeTensorBlock: TensorLevels.Block? {
    guard elementCount > 0 else { return nil }
    let layout = format.layout
    if let scale = layout.factors?.scale, scale.element == .fp32 {
      let code = planes[scale.field].bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return TensorLevels.Block(scaleField: scale.field, scale: code, encodeMultiplier: 1)
    }
    let codes = layout.fields.enumerated().map { index, field -> [UInt32]? in
      guard case .perBlock = field.extent else { return nil }
      return planes[index].unpacked()
    }
    return TensorLevels.Block(codes: codes, encodeMultiplier: 1)
  }
}
