internal import BlockFormats

/// Where the codes of a piece of a tensor lie in the planes of the whole.
struct PlaneSlices {
  private let layout: BlockLayout
  private let shape: [Int]
  private let whole: [PlaneLayout]
  private let own: [PlaneLayout]
  private let first: Int

  /// - Parameters:
  ///   - layout: what the format stores.
  ///   - shape: the extents of the tensor, with blocks along the last axis.
  ///   - piece: the extents of the piece.
  ///   - elements: its elements, counted row-major.
  init(_ layout: BlockLayout, shape: [Int], piece: [Int], _ elements: Range<Int>) {
    self.layout = layout
    self.shape = shape
    whole = StorageLayout(of: layout, shape: shape).planes
    own = StorageLayout(of: layout, shape: piece).planes
    first = elements.lowerBound
  }

  /// Whether all pieces have all codes of a field: those of the tensor.
  func isWhole(_ field: Int) -> Bool {
    switch layout.fields[field].extent {
    case .perTensor: true
    case .everyElement: false
    default: layout.block == .tensor
    }
  }

  /// The codes of a field.
  func slice(of field: Int) -> StoredPart.Slice {
    let (row, code) = place(of: layout.fields[field], whole[field], first)
    return StoredPart.Slice(
      whole: whole[field], own: own[field], firstRow: row, firstCode: code)
  }

  /// Where the codes of a field begin that belong to the elements from one on.
  private func place(
    of field: StoredField, _ plane: PlaneLayout, _ element: Int
  ) -> (row: Int, code: Int) {
    guard element > 0, plane.rowCount > 0, field.extent != .perTensor else { return (0, 0) }
    let extents = shape.isEmpty ? [1] : shape
    let width = extents[extents.count - 1]
    switch layout.block {
    case .tensor:
      return field.extent == .everyElement ? (element / width, element % width) : (0, 0)
    case .run(let length): return (0, codes(of: field, before: element, block: length))
    case .vector(let length):
      return (element / width, codes(of: field, before: element % width, block: length))
    case .row: return (element / width, field.extent == .everyElement ? element % width : 0)
    case .tile(let rows, _):
      guard field.extent != .everyElement else { return (element / width, element % width) }
      let height = extents.count > 1 ? extents[extents.count - 2] : 1
      let row = element / width
      return (row / height * ((height + rows - 1) / rows) + row % height / rows, 0)
    }
  }

  /// The codes that a field has for whole blocks of a row.
  private func codes(of field: StoredField, before element: Int, block: Int) -> Int {
    switch field.extent {
    case .everyElement: element
    case .every(let length): element / length
    case .perBlock(let count): element / block * count
    case .perTensor: 0
    }
  }
}

extension TensorPieces {
  /// A tensor cut into pieces whose codes begin and end with a byte in every plane of a format.
  ///
  /// - Parameter limit: the elements that a piece may have, where blocks allow it.
  init(ofPlanes format: any BlockFormat, shape: [Int], limit: Int) {
    var limit = max(limit, 1)
    // Inside a row, blocks of other lengths may end within a byte.
    if case .vector(let length) = format.layout.block, length % 8 != 0 {
      limit = max(limit, shape.last ?? 1)
    }
    self.init(shape: shape, axis: -1, formats: [(format, format.defaultPolicy)], limit: limit)
  }
}
