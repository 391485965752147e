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
  /// The bytes from the first number to the end of the last row; 0 without numbers.
  public let byteCount: Int

  /// Describes a matrix.
  ///
  /// - Parameters:
  ///   - type: the type of the numbers.
  ///   - rowCount: the rows.
  ///   - columnCount: the numbers of a row.
  ///   - stride: the numbers from row to row; `columnCount` if `nil`.
  /// - Precondition: no negative extent, a stride of at least `columnCount`, and a number of bytes
  ///   that `Int` holds.
  public init(
    _ type: ScalarType = .float32, rowCount: Int, columnCount: Int, stride: Int? = nil
  ) {
    let stride = stride ?? columnCount
    let byteCount = Self.byteCount(type, rowCount, columnCount, stride)
    guard let byteCount else {
      refuse(
        "a matrix of \(rowCount) rows of \(columnCount) numbers, \(stride) apart, is not possible")
    }
    self.type = type
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride
    self.byteCount = byteCount
  }

  /// The bytes of a matrix, or `nil` for impossible extents.
  private static func byteCount(
    _ type: ScalarType, _ rowCount: Int, _ columnCount: Int, _ stride: Int
  ) -> Int? {
    guard rowCount >= 0, columnCount >= 0, stride >= columnCount else { return nil }
    guard rowCount > 0, columnCount > 0 else { return 0 }
    let (whole, isTooLong) = (rowCount - 1).multipliedReportingOverflow(by: stride)
    let (count, isTooMany) = whole.addingReportingOverflow(columnCount)
    let (bytes, isTooLarge) = count.multipliedReportingOverflow(by: type.byteCount)
    return isTooLong || isTooMany || isTooLarge ? nil : bytes
  }
}
