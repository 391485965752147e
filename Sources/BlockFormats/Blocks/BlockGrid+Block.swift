extension BlockGrid {
  /// `rows` x `columns` entries at strides.
  struct Region: Hashable {
    var offset: Int
    var rows = 1
    var rowStride = 0
    var columns: Int
    var columnStride = 1

    var count: Int { rows * columns }
    var isContiguous: Bool { columnStride == 1 && rows == 1 }
    /// The range of a contiguous region.
    var range: Range<Int> { offset..<offset + columns }

    static let none = Region(offset: 0, columns: 0)
  }

  /// Where the elements of a block lie, relative to the slab's first element.
  ///
  /// - Parameter index: below the slab's `blockCount`.
  func elements(ofBlock index: Int, in slab: Slab) -> Region {
    switch tiling {
    case .lastAxis(let length, _):
      let first = index * length
      return Region(offset: first, columns: min(length, slab.count - first))
    case .strided(_, _, let inner):
      return Region(offset: index, columns: slab.count / inner, columnStride: inner)
    case .tile(_, let columns, _, let width):
      return Region(
        offset: index * columns, rows: slab.rows.count, rowStride: width,
        columns: min(columns, width - index * columns))
    case .tensor:
      return Region(offset: 0, columns: slab.count)
    }
  }

  /// Where the codes of a field lie that a block has, relative to the slab's first one.
  ///
  /// - Parameter elements: where the block's elements lie.
  func codes(
    of field: Field, ofBlock index: Int, in slab: Slab, elements: Region
  ) -> Region {
    guard field.spacing != .perTensor else { return .none }
    switch tiling {
    case .lastAxis(let length, _):
      return Region(
        offset: field.spacing.count(index * length), columns: field.spacing.count(elements.columns))
    case .strided(_, _, let inner):
      return Region(
        offset: index, columns: field.spacing.count(elements.columns), columnStride: inner)
    case .tile:
      guard case .perBlock(let count, _) = field.spacing else { return elements }
      return Region(offset: index * count, columns: count)
    case .tensor:
      return elements
    }
  }
}

extension BlockGrid.Region {
  /// Copies the region's entries of a slab, in row-major order.
  func gather<Entry>(
    from slab: UnsafeBufferPointer<Entry>, into block: UnsafeMutableBufferPointer<Entry>
  ) {
    var position = 0
    for row in 0..<rows {
      var source = offset + row * rowStride
      for _ in 0..<columns {
        block[position] = slab[source]
        position += 1
        source += columnStride
      }
    }
  }

  /// The inverse of `gather`.
  func scatter<Entry>(
    _ block: UnsafeBufferPointer<Entry>, into slab: UnsafeMutableBufferPointer<Entry>
  ) {
    var position = 0
    for row in 0..<rows {
      var target = offset + row * rowStride
      for _ in 0..<columns {
        slab[target] = block[position]
        position += 1
        target += columnStride
      }
    }
  }
}
