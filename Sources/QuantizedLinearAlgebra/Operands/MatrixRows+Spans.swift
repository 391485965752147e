import BlockFormats
import CallerChecks

/// Spans and arrays as matrices, for the time of a call.
extension MatrixRows {
  /// Lends the rows of a span.
  ///
  /// - Precondition: the span holds all bytes of the layout.
  static func with<Result>(
    _ bytes: RawSpan, _ layout: MatrixLayout, _ body: (MatrixRows) -> Result
  ) -> Result {
    layout.requireFits(byteCount: bytes.byteCount)
    return bytes.withUnsafeBytes { body(MatrixRows($0.baseAddress ?? .nothing, layout)) }
  }

  /// Lends the rows of an array.
  static func with<Result>(
    _ numbers: [Float], _ layout: MatrixLayout, _ body: (MatrixRows) -> Result
  ) -> Result {
    layout.requireFits(byteCount: numbers.count * layout.type.byteCount)
    return numbers.withUnsafeBytes { body(MatrixRows($0.baseAddress ?? .nothing, layout)) }
  }
}

extension MutableMatrixRows {
  /// Lends the rows of a span.
  ///
  /// - Precondition: the span holds all bytes of the layout.
  static func with<Result>(
    _ bytes: inout MutableRawSpan, _ layout: MatrixLayout, _ body: (MutableMatrixRows) -> Result
  ) -> Result {
    layout.requireFits(byteCount: bytes.byteCount)
    return bytes.withUnsafeMutableBytes {
      body(MutableMatrixRows($0.baseAddress ?? UnsafeMutableRawPointer(mutating: .nothing), layout))
    }
  }

  /// Lends the rows of an array.
  static func with<Result>(
    _ numbers: inout [Float], _ layout: MatrixLayout, _ body: (MutableMatrixRows) -> Result
  ) -> Result {
    layout.requireFits(byteCount: numbers.count * layout.type.byteCount)
    return numbers.withUnsafeMutableBytes {
      body(MutableMatrixRows($0.baseAddress ?? UnsafeMutableRawPointer(mutating: .nothing), layout))
    }
  }
}

extension MatrixLayout {
  fileprivate func requireFits(byteCount available: Int) {
    require(
      available >= byteCount,
      """
      \(available) bytes for \(rowCount) rows of \(columnCount) \(type.id) numbers, \(stride) \
      apart, which take \(byteCount)
      """)
  }
}

extension UnsafeRawPointer {
  /// An address for matrices without numbers, where nothing is read or written.
  fileprivate static var nothing: UnsafeRawPointer {
    let empty: StaticString = ""
    return UnsafeRawPointer(empty.utf8Start)
  }
}
