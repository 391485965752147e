extension BlockGrid {
  /// A rectangle of a packed plane: whole rows, or a part of one row.
  struct PlaneRange: Hashable {
    var rows: Range<Int>
    var columns: Range<Int>
    var count: Int { rows.count * columns.count }
  }

  /// A group of blocks over contiguous memory.
  struct Slab: Hashable {
    /// The row-major index of the first element.
    var base: Int
    /// The elements covered.
    var count: Int
    var codes: PlaneRange
    var scales: PlaneRange
    var subscales: PlaneRange
    var blockCount: Int
  }

  /// One block of a slab: `rows` x `columns` elements at strides, relative to the slab's base.
  struct Region: Hashable {
    var offset: Int
    var rows = 1
    var rowStride = 0
    var columns: Int
    var columnStride = 1
    /// The first sub-scale and the distance to the next, in the slab's sub-scales.
    var subscaleOffset = 0
    var subscaleStride = 1
    var subscaleCount = 0
    var count: Int { rows * columns }
    var isContiguous: Bool { columnStride == 1 && rows == 1 }
  }

  /// The number of slabs; 0 for a tensor without elements.
  var slabCount: Int {
    guard elementCount > 0 else { return 0 }
    switch kind {
    case .lastAxis(_, let segment, _):
      return codeRows.rowCount * ((codeRows.rowLength + segment - 1) / segment)
    case .strided(let block, let length, let inner, _):
      return elementCount / (length * inner) * ((length + block - 1) / block)
    case .tile(let rows, _, let height, let width):
      return elementCount / (height * width) * ((height + rows - 1) / rows)
    case .tensor(let segment):
      return codeRows.rowCount * ((codeRows.rowLength + segment - 1) / segment)
    }
  }

  /// The slab at an index below `slabCount`.
  func slab(_ index: Int) -> Slab {
    switch kind {
    case .lastAxis(let block, let segment, let subscaleLength):
      let codes = rowSegment(index, segment)
      func scaled(by length: Int) -> PlaneRange {
        PlaneRange(
          rows: codes.rows,
          columns: codes.columns.lowerBound / length..<(codes.columns.upperBound + length - 1)
            / length)
      }
      let scales = scaled(by: block)
      return slab(
        codes, scales: scales, subscales: scaled(by: subscaleLength), blocks: scales.count)
    case .strided(let block, let length, let inner, let subscaleLength):
      let blocksAlong = (length + block - 1) / block
      let (outer, along) = index.quotientAndRemainder(dividingBy: blocksAlong)
      let start = along * block
      let end = min(start + block, length)
      let innerRows = inner / codeRows.rowLength
      func wholeRows(_ first: Int, _ count: Int) -> PlaneRange {
        PlaneRange(
          rows: first * innerRows..<(first + count) * innerRows, columns: 0..<codeRows.rowLength)
      }
      let subscalesAlong = (length + subscaleLength - 1) / subscaleLength
      return slab(
        wholeRows(outer * length + start, end - start),
        scales: wholeRows(index, 1),
        subscales: wholeRows(
          outer * subscalesAlong + start / subscaleLength,
          (end - start + subscaleLength - 1) / subscaleLength),
        blocks: inner)
    case .tile(let rows, let columns, let height, let width):
      let tilesDown = (height + rows - 1) / rows
      let (batch, down) = index.quotientAndRemainder(dividingBy: tilesDown)
      let first = batch * height + down * rows
      let last = batch * height + min((down + 1) * rows, height)
      let across = (width + columns - 1) / columns
      let none = PlaneRange(rows: 0..<0, columns: 0..<0)
      return slab(
        PlaneRange(rows: first..<last, columns: 0..<width),
        scales: PlaneRange(rows: index..<index + 1, columns: 0..<across),
        subscales: none, blocks: across)
    case .tensor(let segment):
      let none = PlaneRange(rows: 0..<0, columns: 0..<0)
      return slab(rowSegment(index, segment), scales: none, subscales: none, blocks: 1)
    }
  }

  private func rowSegment(_ index: Int, _ segment: Int) -> PlaneRange {
    let segments = (codeRows.rowLength + segment - 1) / segment
    let (row, part) = index.quotientAndRemainder(dividingBy: segments)
    return PlaneRange(
      rows: row..<row + 1,
      columns: part * segment..<min((part + 1) * segment, codeRows.rowLength))
  }

  private func slab(
    _ codes: PlaneRange, scales: PlaneRange, subscales: PlaneRange, blocks: Int
  ) -> Slab {
    let none = PlaneRange(rows: 0..<0, columns: 0..<0)
    return Slab(
      base: codes.rows.lowerBound * codeRows.rowLength + codes.columns.lowerBound,
      count: codes.count, codes: codes, scales: hasScales ? scales : none,
      subscales: hasSubscales ? subscales : none, blockCount: blocks)
  }

  private func subscaleCount(_ elements: Int, _ length: Int) -> Int {
    hasSubscales ? (elements + length - 1) / length : 0
  }

  /// The elements of a block of a slab.
  func region(_ block: Int, of slab: Slab) -> Region {
    switch kind {
    case .lastAxis(let length, _, let subscaleLength):
      let columns = min(length, slab.count - block * length)
      return Region(
        offset: block * length, columns: columns,
        subscaleOffset: block * (length / subscaleLength),
        subscaleCount: subscaleCount(columns, subscaleLength))
    case .strided(_, _, let inner, let subscaleLength):
      let columns = slab.count / inner
      return Region(
        offset: block, columns: columns, columnStride: inner,
        subscaleOffset: block, subscaleStride: inner,
        subscaleCount: subscaleCount(columns, subscaleLength))
    case .tile(_, let columns, _, let width):
      return Region(
        offset: block * columns, rows: slab.codes.rows.count, rowStride: width,
        columns: min(columns, width - block * columns))
    case .tensor:
      return Region(offset: 0, columns: slab.count)
    }
  }
}
