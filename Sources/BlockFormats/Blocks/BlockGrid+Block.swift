extension BlockGrid {
  /// Where the parts of one block lie in its slab.
  struct Block: Hashable {
    /// The values, relative to the slab's first element.
    var elements: Region
    /// The codes, relative to the slab's first code.
    var codes: Region
    /// The sub-scales, relative to the slab's first.
    var subscales: Region

    /// Whether all parts are contiguous.
    var isContiguous: Bool { elements.isContiguous }
  }

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

  /// The block at an index below the slab's `blockCount`.
  func block(_ index: Int, of slab: Slab) -> Block {
    switch tiling {
    case .lastAxis(let length, _):
      let first = index * length
      let count = min(length, slab.count - first)
      func region(_ field: Field?) -> Region {
        guard let spacing = field?.spacing else { return .none }
        return Region(offset: spacing.count(first), columns: spacing.count(count))
      }
      return Block(
        elements: Region(offset: first, columns: count), codes: region(codes),
        subscales: region(subscales))

    case .strided(_, _, let inner):
      let count = slab.count / inner
      func region(_ field: Field?) -> Region {
        guard let spacing = field?.spacing else { return .none }
        return Region(offset: index, columns: spacing.count(count), columnStride: inner)
      }
      return Block(
        elements: Region(offset: index, columns: count, columnStride: inner),
        codes: region(codes), subscales: region(subscales))

    case .tile(_, let columns, _, let width):
      let elements = Region(
        offset: index * columns, rows: slab.codes.rows.count, rowStride: width,
        columns: min(columns, width - index * columns))
      return Block(elements: elements, codes: elements, subscales: .none)

    case .tensor:
      let elements = Region(offset: 0, columns: slab.count)
      return Block(elements: elements, codes: elements, subscales: .none)
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
