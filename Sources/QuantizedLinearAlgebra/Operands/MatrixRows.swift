public import BlockFormats
internal import CBlockKernels
import CallerChecks

/// A caller's matrix of floating-point numbers: rows some distance apart.
public struct MatrixRows: @unchecked Sendable {
  /// The first number.
  public let base: UnsafeRawPointer
  /// The type of the numbers.
  public let type: ScalarType
  /// The rows.
  public let rowCount: Int
  /// The numbers of a row, one behind the other.
  public let columnCount: Int
  /// The numbers from the beginning of a row to that of the next.
  public let stride: Int

  /// Describes memory, which must outlive the description.
  ///
  /// - Parameters:
  ///   - base: the first number; need not be aligned.
  ///   - type: the type of the numbers.
  ///   - rowCount: the rows.
  ///   - columnCount: the numbers of a row.
  ///   - stride: the numbers from row to row; `columnCount` if `nil`.
  /// - Precondition: no negative extent, and a stride of at least `columnCount`.
  public init(
    _ base: UnsafeRawPointer, as type: ScalarType = .float32, rowCount: Int, columnCount: Int,
    stride: Int? = nil
  ) {
    let stride = stride ?? columnCount
    require(
      rowCount >= 0 && columnCount >= 0 && stride >= columnCount,
      "a matrix of \(rowCount) rows of \(columnCount) numbers, \(stride) apart, is not possible")
    self.base = base
    self.type = type
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride
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

/// A caller's matrix that receives a product.
public struct MutableMatrixRows: @unchecked Sendable {
  /// The first number.
  public let base: UnsafeMutableRawPointer
  /// The type of the numbers.
  public let type: ScalarType
  /// The rows.
  public let rowCount: Int
  /// The numbers of a row.
  public let columnCount: Int
  /// The numbers from the beginning of a row to that of the next.
  public let stride: Int

  /// Describes memory, which must outlive the description; see `MatrixRows`.
  public init(
    _ base: UnsafeMutableRawPointer, as type: ScalarType = .float32, rowCount: Int,
    columnCount: Int, stride: Int? = nil
  ) {
    let stride = stride ?? columnCount
    require(
      rowCount >= 0 && columnCount >= 0 && stride >= columnCount,
      "a matrix of \(rowCount) rows of \(columnCount) numbers, \(stride) apart, is not possible")
    self.base = base
    self.type = type
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride
  }

  func row(_ index: Int) -> UnsafeMutableRawPointer { base + index * stride * type.byteCount }
}
