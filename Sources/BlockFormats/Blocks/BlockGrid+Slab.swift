extension BlockGrid {
  /// A rectangle of a packed plane: whole rows, or a part of one row.
  struct PlaneRange: Hashable {
    var rows: Range<Int>
    var columns: Range<Int>
    var count: Int { rows.count * columns.count }

    /// No codes.
    static let none = PlaneRange(rows: 0..<0, columns: 0..<0)
  }

  /// A group of blocks over contiguous memory.
  struct Slab: Hashable {
    /// The slab's index.
    var index: Int
    /// The row-major index of the first element.
    var base: Int
    /// The number of elements.
    var count: Int
    /// The rows that the elements cover, and what they cover of each.
    var rows: Range<Int>
    var columns: Range<Int>
    var blockCount: Int
  }

  /// The number of slabs; 0 for a tensor without elements.
  var slabCount: Int {
    guard elementCount > 0 else { return 0 }
    switch tiling {
    case .lastAxis(_, let segment), .tensor(let segment):
      return elementCount / lastExtent * Spacing.every(segment).count(lastExtent)
    case .strided(let block, let length, let inner):
      return elementCount / (length * inner) * Spacing.every(block).count(length)
    case .tile(let rows, _, let height, let width):
      return elementCount / (height * width) * Spacing.every(rows).count(height)
    }
  }

  /// The slab at an index below `slabCount`; the first is as large as any.
  func slab(_ index: Int) -> Slab {
    switch tiling {
    case .lastAxis(_, let segment), .tensor(let segment):
      let segments = Spacing.every(segment).count(lastExtent)
      let (row, part) = index.quotientAndRemainder(dividingBy: segments)
      let columns = part * segment..<min((part + 1) * segment, lastExtent)
      var blocks = 1
      if case .lastAxis(let block, _) = tiling {
        blocks = Spacing.every(block).count(columns.count)
      }
      return Slab(
        index: index, base: row * lastExtent + columns.lowerBound, count: columns.count,
        rows: row..<row + 1, columns: columns, blockCount: blocks)

    case .strided(let block, let length, let inner):
      let (outer, along) = index.quotientAndRemainder(
        dividingBy: Spacing.every(block).count(length))
      let elements = along * block..<min((along + 1) * block, length)
      // Rows of the last axis for each step along the block axis.
      let rows = inner / lastExtent
      let first = outer * length
      return Slab(
        index: index, base: (first + elements.lowerBound) * inner, count: elements.count * inner,
        rows: (first + elements.lowerBound) * rows..<(first + elements.upperBound) * rows,
        columns: 0..<lastExtent, blockCount: inner)

    case .tile(let rows, let columns, let height, let width):
      let (batch, down) = index.quotientAndRemainder(dividingBy: Spacing.every(rows).count(height))
      let first = batch * height + down * rows
      let last = batch * height + min((down + 1) * rows, height)
      return Slab(
        index: index, base: first * width, count: (last - first) * width, rows: first..<last,
        columns: 0..<width, blockCount: Spacing.every(columns).count(width))
    }
  }

  /// Where the codes of a slab lie in the plane of a field; nowhere where they belong to a block that
  /// spans the tensor, or to the tensor.
  func range(of field: Field, in slab: Slab) -> PlaneRange {
    guard field.spacing != .perTensor else { return .none }
    switch tiling {
    case .lastAxis, .tensor:
      return PlaneRange(
        rows: slab.rows,
        columns: field.spacing.count(
          slab.columns.lowerBound)..<field.spacing.count(
            slab.columns.upperBound))

    case .strided(let block, let length, let inner):
      let (outer, along) = slab.index.quotientAndRemainder(
        dividingBy: Spacing.every(block).count(length))
      let rows = inner / lastExtent
      let first = outer * field.spacing.count(length)
      let start = field.spacing.count(along * block)
      let end = field.spacing.count(min((along + 1) * block, length))
      return PlaneRange(
        rows: (first + start) * rows..<(first + end) * rows, columns: 0..<lastExtent)

    case .tile:
      guard case .perBlock(let count, _) = field.spacing else {
        return PlaneRange(rows: slab.rows, columns: slab.columns)
      }
      return PlaneRange(
        rows: slab.index..<slab.index + 1, columns: 0..<slab.blockCount * count)
    }
  }

  private var lastExtent: Int { extents[extents.count - 1] }
}
