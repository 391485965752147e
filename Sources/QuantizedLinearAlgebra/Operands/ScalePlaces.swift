import BlockFormats

/// Where in the planes of a quantized matrix the scales of its rows lie.
struct ScalePlaces {
  /// Elements of a row that share a scale.
  let blockLength: Int
  /// Elements of a row that share a power of two, 0 without such.
  let powerLength: Int
  private let rowsPerScaleRow: Int
  private let rowCount: Int
  private let hasOneScale: Bool

  init(_ layout: BlockLayout, shape: [Int]) {
    let columns = max(shape.last ?? 1, 1)
    rowCount = max(shape.dropLast().last ?? 1, 1)
    let factors = layout.linear?.factors
    powerLength = factors?.powerLength ?? 0
    switch factors?.scale == nil ? .tensor : layout.block {
    case .vector(let length), .run(let length):
      (blockLength, rowsPerScaleRow) = (min(length, columns), 1)
    case .row: (blockLength, rowsPerScaleRow) = (columns, 1)
    case .tile(let rows, let length):
      (blockLength, rowsPerScaleRow) = (min(length, columns), rows)
    case .tensor: (blockLength, rowsPerScaleRow) = (columns, 1)
    }
    hasOneScale = layout.block == .tensor
  }

  /// The row of the scale plane for a row counted through the batch.
  func scaleRow(_ row: Int) -> Int {
    guard !hasOneScale else { return 0 }
    guard rowsPerScaleRow > 1 else { return row }
    let (matrix, inside) = row.quotientAndRemainder(dividingBy: rowCount)
    let bands = (rowCount + rowsPerScaleRow - 1) / rowsPerScaleRow
    return matrix * bands + inside / rowsPerScaleRow
  }
}
