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
    /// The row-major index of the first element.
    var base: Int
    /// The number of elements.
    var count: Int
    var codes: PlaneRange
    var scales: PlaneRange
    var subscales: PlaneRange
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
    case .lastAxis(let block, let segment):
      let (row, elements) = rowSegment(index, segment)
      func range(_ field: Field?) -> PlaneRange {
        guard let spacing = field?.spacing else { return .none }
        return PlaneRange(
          rows: row..<row + 1,
          columns: spacing.count(elements.lowerBound)..<spacing.count(elements.upperBound))
      }
      return slab(
        base: row * lastExtent + elements.lowerBound, count: elements.count, range,
        blocks: Spacing.every(block).count(elements.count))

    case .strided(let block, let length, let inner):
      let (outer, along) = index.quotientAndRemainder(
        dividingBy: Spacing.every(block).count(length))
      let elements = along * block..<min((along + 1) * block, length)
      func range(_ field: Field?) -> PlaneRange {
        guard let field else { return .none }
        // Rows of the last axis for each step along the block axis.
        let rows = inner / lastExtent
        let first = outer * field.spacing.count(length)
        return PlaneRange(
          rows: (first + field.spacing.count(elements.lowerBound))
            * rows..<(first + field.spacing.count(elements.upperBound)) * rows,
          columns: 0..<lastExtent)
      }
      return slab(
        base: (outer * length + elements.lowerBound) * inner, count: elements.count * inner,
        range, blocks: inner)

    case .tile(let rows, let columns, let height, let width):
      let (batch, down) = index.quotientAndRemainder(dividingBy: Spacing.every(rows).count(height))
      let first = batch * height + down * rows
      let last = batch * height + min((down + 1) * rows, height)
      let across = Spacing.every(columns).count(width)
      return Slab(
        base: first * width, count: (last - first) * width,
        codes: PlaneRange(rows: first..<last, columns: 0..<width),
        scales: PlaneRange(rows: index..<index + 1, columns: 0..<across),
        subscales: .none, blockCount: across)

    case .tensor(let segment):
      let (row, elements) = rowSegment(index, segment)
      return Slab(
        base: row * lastExtent + elements.lowerBound, count: elements.count,
        codes: PlaneRange(rows: row..<row + 1, columns: elements), scales: .none,
        subscales: .none, blockCount: 1)
    }
  }

  private var lastExtent: Int { shape.last ?? 1 }

  private func rowSegment(_ index: Int, _ segment: Int) -> (row: Int, elements: Range<Int>) {
    let segments = Spacing.every(segment).count(lastExtent)
    let (row, part) = index.quotientAndRemainder(dividingBy: segments)
    return (row, part * segment..<min((part + 1) * segment, lastExtent))
  }

  private func slab(
    base: Int, count: Int, _ range: (Field?) -> PlaneRange, blocks: Int
  ) -> Slab {
    Slab(
      base: base, count: count, codes: range(codes), scales: range(scales),
      subscales: range(subscales), blockCount: blocks)
  }
}
