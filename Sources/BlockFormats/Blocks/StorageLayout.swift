/// What a tensor in a block format stores, known before anything is.
///
/// The planes follow each other in the order of the layout's fields and without gaps.
public struct StorageLayout: Hashable, Sendable {
  /// One plane for each field.
  public let planes: [PlaneLayout]

  /// The number of stored bytes.
  public var byteCount: Int { planes.reduce(0) { $0 + $1.byteCount } }

  /// Lays a format over a tensor.
  ///
  /// - Parameters:
  ///   - layout: what the format stores.
  ///   - shape: the shape of the tensor.
  ///   - axis: the axis that blocks run along, negative from the end.
  /// - Precondition: a valid shape, and an axis of it.
  public init(of layout: BlockLayout, shape: [Int], axis: Int = -1) {
    self.init(of: layout, over: BlockGrid(shape: shape, axis: axis, layout: layout))
  }

  init(of layout: BlockLayout, over grid: BlockGrid) {
    planes = zip(layout.fields, grid.fields).map { field, place in
      PlaneLayout(
        rowCount: place.rowCount, rowLength: place.rowLength, bitWidth: field.bitWidth)
    }
  }
}
