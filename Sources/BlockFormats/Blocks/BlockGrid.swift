/// How the blocks of a format tile a tensor: the one place that knows shapes, axes and tails.
///
/// A tensor is seen as rows of its last axis in row-major order. Work is cut into slabs: groups of
/// blocks that cover a contiguous range of memory, and whose codes, scales and sub-scales start
/// and end on byte boundaries of the packed planes, so that threads never share a byte.
struct BlockGrid: Hashable, Sendable {
  /// The tensor's shape.
  let shape: [Int]
  /// Number of elements.
  let elementCount: Int
  /// Rows of the last axis.
  let codeRows: PlaneShape
  /// The shape of the scales as a tensor; `[1]` for one scale.
  let scaleShape: [Int]
  /// Scales as rows.
  let scaleRows: PlaneShape
  /// The shape of the sub-scales as a tensor.
  let subscaleShape: [Int]
  /// Sub-scales as rows.
  let subscaleRows: PlaneShape

  let kind: Kind

  /// Rows of a packed plane.
  struct PlaneShape: Hashable, Sendable {
    var rowCount: Int
    var rowLength: Int

    init(_ shape: [Int]) {
      rowLength = shape.last ?? 1
      rowCount = rowLength == 0 ? 0 : shape.dropLast().reduce(1, *)
    }
  }

  let hasScales: Bool
  let hasSubscales: Bool

  /// How slabs and blocks follow from the shape.
  enum Kind: Hashable {
    /// Blocks of `block` elements along the last axis, in slabs of `segment` elements of one row.
    case lastAxis(block: Int, segment: Int, subscaleLength: Int)
    /// Blocks of `block` elements, `inner` apart, along an axis of `length` elements.
    case strided(block: Int, length: Int, inner: Int, subscaleLength: Int)
    case tile(rows: Int, columns: Int, height: Int, width: Int)
    case tensor(segment: Int)

    static func along(
      _ axis: Int, of extents: [Int], block: Int, subscaleLength: Int
    ) -> Kind {
      let inner = extents[(axis + 1)...].reduce(1, *)
      if axis == extents.count - 1 {
        // A multiple of eight blocks keeps every plane's slab on byte boundaries.
        let unit = 8 * block
        let segment = block >= extents[axis] ? block : max(1, BlockGrid.segmentLength / unit) * unit
        return .lastAxis(block: block, segment: segment, subscaleLength: subscaleLength)
      }
      return .strided(
        block: block, length: extents[axis], inner: inner, subscaleLength: subscaleLength)
    }
  }

  /// Lays a format's blocks over a tensor.
  ///
  /// - Precondition: no negative extent, a product that fits in `Int`, and an axis of the shape.
  ///   A scalar counts as a vector of one element.
  init(shape: [Int], axis: Int, layout: BlockLayout) {
    self.shape = shape
    elementCount = BlockGrid.elementCount(of: shape)
    let extents = shape.isEmpty ? [1] : shape
    let axis = BlockGrid.normalized(axis: axis, rank: shape.count)
    codeRows = PlaneShape(extents)

    let subscaleLength = layout.subscale?.length ?? 1
    func divided(by length: Int) -> [Int] {
      var result = extents
      result[axis] = (extents[axis] + length - 1) / length
      return result
    }
    switch layout.block {
    case .vector(let block):
      (scaleShape, subscaleShape) = (divided(by: block), divided(by: subscaleLength))
      kind = Kind.along(axis, of: extents, block: block, subscaleLength: subscaleLength)
    case .row:
      let block = max(extents[axis], 1)
      (scaleShape, subscaleShape) = (divided(by: block), [])
      kind = Kind.along(axis, of: extents, block: block, subscaleLength: block)
    case .tile(let rows, let columns):
      let height = extents.count > 1 ? extents[extents.count - 2] : 1
      let width = extents[extents.count - 1]
      var scales = extents
      scales[scales.count - 1] = (width + columns - 1) / columns
      if scales.count > 1 { scales[scales.count - 2] = (height + rows - 1) / rows }
      (scaleShape, subscaleShape) = (scales, [])
      kind = .tile(rows: rows, columns: columns, height: height, width: width)
    case .tensor:
      (scaleShape, subscaleShape) = ([elementCount == 0 ? 0 : 1], [])
      kind = .tensor(segment: BlockGrid.segmentLength)
    }
    hasScales = layout.scale != nil
    hasSubscales = layout.subscale != nil
    scaleRows = PlaneShape(layout.scale == nil ? [0] : scaleShape)
    subscaleRows = PlaneShape(layout.subscale == nil ? [0] : subscaleShape)
  }

  /// The elements of a slab of a long row: enough to amortise a slab, few enough for threads.
  private static let segmentLength = 8192

  /// The number of elements of a shape.
  ///
  /// - Precondition: `Tensor.isValid(shape:)`.
  static func elementCount(of shape: [Int]) -> Int {
    precondition(
      Tensor.isValid(shape: shape),
      "shape \(shape) has a negative extent, or more elements than an Int can count")
    return shape.reduce(1, *)
  }

  /// The axis counted from the front.
  ///
  /// - Precondition: `axis` is in -rank..<rank, where a scalar has rank 1.
  static func normalized(axis: Int, rank: Int) -> Int {
    let rank = max(rank, 1)
    precondition((-rank..<rank).contains(axis), "axis \(axis) is outside \(-rank)..<\(rank)")
    return axis < 0 ? axis + rank : axis
  }

  /// The number of blocks, each of which has one scale.
  var blockCount: Int { elementCount == 0 ? 0 : scaleShape.reduce(1, *) }

  /// Whether one block spans all slabs.
  var isWholeTensorBlock: Bool { if case .tensor = kind { true } else { false } }
}
