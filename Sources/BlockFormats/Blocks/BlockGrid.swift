import CallerChecks

/// How the blocks of a format tile a tensor: the one place that knows shapes, axes and tails.
///
/// A tensor is seen as rows of its last axis in row-major order; runs see it as one row. Work is cut
/// into slabs: groups of blocks that cover a contiguous range of memory, and whose codes of every field
/// start and end on byte boundaries of the packed planes, so that threads never share a byte.
struct BlockGrid: Hashable, Sendable {
  /// The tensor's shape.
  let shape: [Int]
  /// The extents of the tensor as blocks see it: its shape, `[1]` for a scalar, one row for runs.
  let extents: [Int]
  /// The number of elements.
  let elementCount: Int
  /// The fields of the layout, in its order.
  let fields: [Field]
  /// The shape of the blocks as a tensor; `[1]` for one block of the whole tensor.
  let blockShape: [Int]
  /// How slabs and blocks follow from the shape.
  let tiling: Tiling

  /// One kind of stored codes, laid out over the tensor.
  struct Field: Hashable, Sendable {
    /// The shape of the codes as a tensor.
    let shape: [Int]
    /// How many there are for the elements of a block.
    let spacing: Spacing

    /// The extent of the last axis.
    var rowLength: Int { shape.last ?? 1 }
    /// The number of rows of the last axis.
    var rowCount: Int { rowLength == 0 ? 0 : shape.dropLast().reduce(1, *) }
  }

  /// How many codes of a field belong to consecutive elements along the block axis.
  enum Spacing: Hashable, Sendable {
    /// One for every `length` elements; the block length is a multiple of it.
    case every(Int)
    /// As many for each block of `length` elements.
    case perBlock(Int, length: Int)
    /// None: they belong to the tensor.
    case perTensor

    /// The codes of the first `elements` elements of a row, whose last block may be short.
    func count(_ elements: Int) -> Int {
      switch self {
      case .every(let length): (elements + length - 1) / length
      case .perBlock(let count, let length): (elements + length - 1) / length * count
      case .perTensor: 0
      }
    }
  }

  /// The ways in which blocks cover a tensor.
  enum Tiling: Hashable {
    /// Blocks of `block` elements along the last axis, in slabs of `segment` elements of one row.
    case lastAxis(block: Int, segment: Int)
    /// Blocks of `block` elements, `inner` apart, along an axis of `length` elements.
    case strided(block: Int, length: Int, inner: Int)
    /// Blocks of `rows` x `columns` elements of matrices of `height` x `width`.
    case tile(rows: Int, columns: Int, height: Int, width: Int)
    /// One block, in slabs of `segment` elements of one row.
    case tensor(segment: Int)
  }

  /// Lays a format's blocks over a tensor; a scalar counts as a vector of one element.
  ///
  /// - Precondition: a valid shape, and an axis of it.
  init(shape: [Int], axis: Int, layout: BlockLayout) {
    self.shape = shape
    let elementCount = BlockGrid.elementCount(of: shape)
    self.elementCount = elementCount
    var extents = shape.isEmpty ? [1] : shape
    var axis = BlockGrid.normalized(axis: axis, rank: shape.count)
    let tiling: Tiling
    switch layout.block {
    case .vector(let length):
      tiling = .along(axis, of: extents, block: length)
    case .run(let length):
      (extents, axis) = ([elementCount], 0)
      tiling = .along(0, of: extents, block: length)
    case .row:
      tiling = .along(axis, of: extents, block: max(extents[axis], 1))
    case .tile(let rows, let columns):
      tiling = .tile(
        rows: rows, columns: columns, height: extents.dropLast().last ?? 1,
        width: extents[extents.count - 1])
    case .tensor:
      tiling = .tensor(segment: Tiling.segmentLength)
    }
    self.extents = extents
    self.tiling = tiling
    let blocks = tiling.blockShape(of: extents, axis: axis, isEmpty: elementCount == 0)
    blockShape = blocks
    let (seen, along) = (extents, axis)
    fields = layout.fields.map { field in
      tiling.field(field.extent, of: seen, axis: along, blockShape: blocks)
    }
  }

  /// Whether a shape has no negative extent, and a product of its extents other than zero of at
  /// most 2^48, so that no stride, bit count or byte count overflows.
  static func isValid(shape: [Int]) -> Bool {
    var product = 1
    for extent in shape where extent != 0 {
      let (next, overflows) = product.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflows, next <= 1 << 48 else { return false }
      product = next
    }
    return true
  }

  /// The number of elements of a shape.
  ///
  /// - Precondition: a valid shape.
  static func elementCount(of shape: [Int]) -> Int {
    require(
      isValid(shape: shape),
      "shape \(shape) has a negative extent, or more than 2^48 elements")
    return shape.reduce(1, *)
  }

  /// The axis counted from the front.
  ///
  /// - Precondition: `axis` is in -rank..<rank, where a scalar has rank 1.
  static func normalized(axis: Int, rank: Int) -> Int {
    let rank = max(rank, 1)
    require((-rank..<rank).contains(axis), "axis \(axis) is outside \(-rank)..<\(rank)")
    return axis < 0 ? axis + rank : axis
  }

  /// The number of blocks.
  var blockCount: Int { elementCount == 0 ? 0 : blockShape.reduce(1, *) }

  /// Whether one block spans all slabs.
  var isWholeTensorBlock: Bool { if case .tensor = tiling { true } else { false } }
}

extension BlockGrid.Tiling {
  /// The elements of a slab of a long row: enough to amortise a slab, few enough for threads.
  static let segmentLength = 8192

  /// The shape of the blocks as a tensor.
  fileprivate func blockShape(of extents: [Int], axis: Int, isEmpty: Bool) -> [Int] {
    typealias Spacing = BlockGrid.Spacing
    var result = extents
    switch self {
    case .lastAxis(let block, _), .strided(let block, _, _):
      result[axis] = Spacing.every(block).count(extents[axis])
    case .tile(let rows, let columns, let height, let width):
      result[result.count - 1] = Spacing.every(columns).count(width)
      if result.count > 1 { result[result.count - 2] = Spacing.every(rows).count(height) }
    case .tensor: result = [isEmpty ? 0 : 1]
    }
    return result
  }

  /// The codes that a tensor has of a field.
  fileprivate func field(
    _ extent: StoredField.Extent, of extents: [Int], axis: Int, blockShape: [Int]
  ) -> BlockGrid.Field {
    /// The extents with the block axis replaced by the codes that its elements have.
    func along(_ spacing: BlockGrid.Spacing) -> BlockGrid.Field {
      var shape = extents
      shape[axis] = spacing.count(extents[axis])
      return BlockGrid.Field(shape: shape, spacing: spacing)
    }
    switch extent {
    case .everyElement: return along(.every(1))
    case .every(let length): return along(.every(length))
    case .perTensor: return BlockGrid.Field(shape: [1], spacing: .perTensor)
    case .perBlock(let count):
      switch self {
      case .lastAxis(let block, _), .strided(let block, _, _):
        return along(.perBlock(count, length: block))
      case .tile(_, let columns, _, _):
        var shape = blockShape
        shape[shape.count - 1] *= count
        return BlockGrid.Field(shape: shape, spacing: .perBlock(count, length: columns))
      case .tensor:
        return BlockGrid.Field(shape: [blockShape[0] * count], spacing: .perTensor)
      }
    }
  }

  /// Blocks along an axis.
  fileprivate static func along(_ axis: Int, of extents: [Int], block: Int) -> Self {
    guard axis == extents.count - 1 else {
      return .strided(
        block: block, length: extents[axis], inner: extents[(axis + 1)...].reduce(1, *))
    }
    // A multiple of eight blocks keeps the slabs of every plane on byte boundaries.
    let unit = 8 * block
    return .lastAxis(
      block: block,
      segment: block >= extents[axis] ? block : max(1, segmentLength / unit) * unit)
  }
}
