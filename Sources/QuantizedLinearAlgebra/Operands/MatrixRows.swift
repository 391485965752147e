package import BlockFormats
internal import CBlockKernels

/// A caller's matrix of floating-point numbers, by its address.
///
/// Whoever makes one keeps the memory alive, and unchanged while someone reads it.
package struct MatrixRows: Sendable {
  /// The first number; need not be aligned.
  nonisolated(unsafe) package let base: UnsafeRawPointer
  /// How the numbers lie there.
  package let layout: MatrixLayout

  /// The type of the numbers.
  package var type: ScalarType { layout.type }
  /// The rows.
  package var rowCount: Int { layout.rowCount }
  /// The numbers of a row.
  package var columnCount: Int { layout.columnCount }
  /// The numbers from the beginning of a row to that of the next.
  package var stride: Int { layout.stride }

  package init(_ base: UnsafeRawPointer, _ layout: MatrixLayout) {
    self.base = base
    self.layout = layout
  }

  /// Describes memory; see `MatrixLayout`.
  package init(
    _ base: UnsafeRawPointer, as type: ScalarType = .float32, rowCount: Int, columnCount: Int,
    stride: Int? = nil
  ) {
    self.init(
      base, MatrixLayout(type, rowCount: rowCount, columnCount: columnCount, stride: stride))
  }

  /// Whether rows follow each other without a gap.
  var isDense: Bool { stride == columnCount || rowCount <= 1 }

  func row(_ index: Int) -> UnsafeRawPointer { base + index * stride * type.byteCount }

  /// As if rows followed each other: for those who ask for sizes alone.
  var withoutGaps: MatrixRows {
    MatrixRows(base, as: type, rowCount: rowCount, columnCount: columnCount)
  }

  /// The numbers without gaps between rows, copied where there are some.
  func denseBytes(gathering memory: AlignedMemory) -> UnsafeRawBufferPointer {
    let rowBytes = columnCount * type.byteCount
    guard !isDense else {
      return UnsafeRawBufferPointer(start: base, count: rowCount * rowBytes)
    }
    let gathered = memory.reserve(rowCount * rowBytes)
    for index in 0..<rowCount {
      (gathered + index * rowBytes).copyMemory(from: row(index), byteCount: rowBytes)
    }
    return UnsafeRawBufferPointer(start: gathered, count: rowCount * rowBytes)
  }

  /// The same numbers in FP32.
  func widened(into memory: AlignedMemory, _ kernels: ProductKernels) -> MatrixRows {
    let wide = memory.reserve(rowCount * columnCount, of: Float.self)
    for index in 0..<rowCount {
      kernels.blocks.pointee.widen(
        type.code, row(index), columnCount, wide + index * columnCount)
    }
    return MatrixRows(wide, rowCount: rowCount, columnCount: columnCount)
  }

  /// Some rows.
  func band(_ rows: Range<Int>) -> MatrixRows {
    MatrixRows(
      row(rows.lowerBound), as: type, rowCount: rows.count, columnCount: columnCount,
      stride: stride)
  }
}

/// A caller's matrix that receives a product, by its address.
///
/// Whoever makes one keeps the memory alive, and away from everyone else while it is written.
package struct MutableMatrixRows: Sendable {
  /// The first number; need not be aligned.
  nonisolated(unsafe) package let base: UnsafeMutableRawPointer
  /// How the numbers lie there.
  package let layout: MatrixLayout

  /// The type of the numbers.
  package var type: ScalarType { layout.type }
  /// The rows.
  package var rowCount: Int { layout.rowCount }
  /// The numbers of a row.
  package var columnCount: Int { layout.columnCount }
  /// The numbers from the beginning of a row to that of the next.
  package var stride: Int { layout.stride }

  package init(_ base: UnsafeMutableRawPointer, _ layout: MatrixLayout) {
    self.base = base
    self.layout = layout
  }

  /// Describes memory; see `MatrixLayout`.
  package init(
    _ base: UnsafeMutableRawPointer, as type: ScalarType = .float32, rowCount: Int,
    columnCount: Int, stride: Int? = nil
  ) {
    self.init(
      base, MatrixLayout(type, rowCount: rowCount, columnCount: columnCount, stride: stride))
  }

  func row(_ index: Int) -> UnsafeMutableRawPointer { base + index * stride * type.byteCount }

  /// Some rows.
  func band(_ rows: Range<Int>) -> MutableMatrixRows {
    MutableMatrixRows(
      row(rows.lowerBound), as: type, rowCount: rows.count, columnCount: columnCount,
      stride: stride)
  }
}
