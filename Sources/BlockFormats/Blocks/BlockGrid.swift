import CallerChecks

/// How the blocks of a format tile a tensor: the one place that knows shapes, axes and tails.
///
/// A tensor is seen as rows of its last axis in row-major order. Work is cut into slabs: groups of
/// blocks that cover a contiguous range of memory, and whose codes, scales and sub-scales start
/// and end on byte boundaries of the packed planes, so that threads never share a byte.
struct BlockGrid: Hashable, Sendable {
  /// The tensor's shape.
  let shape: [Int]
  /// The number of elements.
  let elementCount: Int
  /// The element codes.
  let codes: Field
  /// The block scales, if the format has any.
  let scales: Field?
  /// The sub-scales, if the format has any.
  let subscales: Field?
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

    /// The codes of the first `elements` elements of a row, whose last block may be short.
    func count(_ elements: Int) -> Int {
      switch self {
      case .every(let length): (elements + length - 1) / length
      case .perBlock(let count, let length): (elements + length - 1) / length * count
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
    elementCount = BlockGrid.elementCount(of: shape)
    let extents = shape.isEmpty ? [1] : shape
    let axis = BlockGrid.normalized(axis: axis, rank: shape.count)

    switch layout.block {
    case .vector(let length):
      tiling = .along(axis, of: extents, block: length)
    case .row:
      tiling = .along(axis, of: extents, block: max(extents[axis], 1))
    case .tile(let rows, let columns):
      tiling = .tile(
        rows: rows, columns: columns, height: extents.dropLast().last ?? 1,
        width: extents[extents.count - 1])
    case .tensor:
      tiling = .tensor(segment: Tiling.segmentLength)
    }

    /// The extents with the block axis replaced by the codes that its elements have.
    func field(_ spacing: Spacing) -> Field {
      var result = extents
      result[axis] = spacing.count(extents[axis])
      return Field(shape: result, spacing: spacing)
    }
    let blocks: Field
    switch tiling {
    case .lastAxis(let block, _), .strided(let block, _, _):
      blocks = field(.every(block))
      switch layout.codes {
      case .onePerElement: codes = field(.every(1))
      case .perBlock(let count): codes = field(.perBlock(count, length: block))
      }
    case .tile(let rows, let columns, let height, let width):
      var scales = extents
      scales[scales.count - 1] = Spacing.every(columns).count(width)
      if scales.count > 1 { scales[scales.count - 2] = Spacing.every(rows).count(height) }
      blocks = Field(shape: scales, spacing: .every(columns))
      codes = field(.every(1))
    case .tensor:
      blocks = Field(shape: [elementCount == 0 ? 0 : 1], spacing: .every(max(elementCount, 1)))
      codes = field(.every(1))
    }
    blockShape = blocks.shape
    scales = layout.scale == nil ? nil : blocks
    subscales = layout.subscale.map { field(.every($0.length)) }
  }

  /// The number of elements of a shape.
  ///
  /// - Precondition: `Tensor.isValid(shape:)`.
  static func elementCount(of shape: [Int]) -> Int {
    require(
      Tensor.isValid(shape: shape),
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

  /// The number of blocks, each of which has one scale.
  var blockCount: Int { elementCount == 0 ? 0 : blockShape.reduce(1, *) }

  /// Whether one block spans all slabs.
  var isWholeTensorBlock: Bool { if case .tensor = tiling { true } else { false } }
}

extension BlockGrid.Tiling {
  /// The elements of a slab of a long row: enough to amortise a slab, few enough for threads.
  static let segmentLength = 8192

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
