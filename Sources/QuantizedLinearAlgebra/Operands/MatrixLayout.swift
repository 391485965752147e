public import BlockFormats
import CallerChecks

/// How a matrix of floating-point numbers lies in memory: rows at equal distances, the numbers of
/// a row side by side.
public struct MatrixLayout: Hashable, Sendable {
  /// The type of the numbers.
  public let type: ScalarType
  /// The rows.
  public let rowCount: Int
  /// The numbers of a row.
  public let columnCount: Int
  /// The numbers from the beginning of a row to that of the next.
  public let stride: Int

  /// Describes a matrix.
  ///
  /// - Parameters:
  ///   - type: the type of the numbers.
  ///   - rowCount: the rows.
  ///   - columnCount: the numbers of a row.
  ///   - stride: the numbers from row to row; `columnCount` if `nil`.
  /// - Precondition: no negative extent, a stride of at least `columnCount`, and rows whose bytes
  ///   `Int` can count.
  public init(
    _ type: ScalarType = .float32, rowCount: Int, columnCount: Int, stride: Int? = nil
  ) {
    let stride = stride ?? columnCount
    let (count, isTooMany) = max(rowCount, 1).multipliedReportingOverflow(by: stride)
    let (_, isTooLarge) = count.multipliedReportingOverflow(by: type.byteCount)
    require(
      rowCount >= 0 && columnCount >= 0 && stride >= columnCount && !isTooMany && !isTooLarge,
      "a matrix of \(rowCount) rows of \(columnCount) numbers, \(stride) apart, is not possible")
    self.type = type
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride
  }

  /// The bytes from the first number to the end of the last row; 0 without numbers.
  public var byteCount: Int {
    rowCount == 0 || columnCount == 0
      ? 0 : ((rowCount - 1) * stride + columnCount) * type.byteCount
  }
}
