/// The extent of a plane of packed codes, without the codes; `BitPlane` defines the order of bits.
public struct PlaneLayout: Hashable, Sendable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of codes in a row.
  public let rowLength: Int
  /// The width of a code in bits, 1...32.
  public let bitWidth: Int

  /// The bytes of a row, each of which starts on a byte boundary.
  public var bytesPerRow: Int { BitPlane.bytesPerRow(rowLength: rowLength, bitWidth: bitWidth) }

  /// The bytes of the plane.
  public var byteCount: Int { rowCount * bytesPerRow }
}

/// What a tensor in a block format stores, known before anything is.
///
/// The planes follow each other in this order and without gaps; the FP32 tensor scale is last.
public struct StorageLayout: Hashable, Sendable {
  /// The element codes.
  public let codes: PlaneLayout
  /// The block scales; `nil` where the format has none.
  public let scales: PlaneLayout?
  /// The sub-scales; `nil` where the format has none.
  public let subscales: PlaneLayout?
  /// The bytes of the tensor scale, 4 or 0.
  public let tensorScaleByteCount: Int

  /// The number of stored bytes.
  public var byteCount: Int {
    codes.byteCount + (scales?.byteCount ?? 0) + (subscales?.byteCount ?? 0) + tensorScaleByteCount
  }

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
    func plane(_ field: BlockGrid.Field, _ bitWidth: Int) -> PlaneLayout {
      PlaneLayout(rowCount: field.rowCount, rowLength: field.rowLength, bitWidth: bitWidth)
    }
    codes = plane(grid.codes, layout.element.bitWidth)
    scales = layout.scale.flatMap { scale in grid.scales.map { plane($0, scale.bitWidth) } }
    subscales = layout.subscale.flatMap { subscale in
      grid.subscales.map { plane($0, subscale.bitWidth) }
    }
    tensorScaleByteCount = layout.tensorScale == .absent ? 0 : 4
  }
}
