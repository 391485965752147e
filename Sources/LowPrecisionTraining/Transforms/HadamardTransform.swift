import CallerChecks
import TrainingRecipes

/// A block-diagonal rotation of FP32 values: signs, then a Hadamard matrix, normalised.
///
/// A block x of d values becomes x' = (x ⊙ s) H_d / √d, with H_d in Sylvester's order: entry (i, j)
/// is -1 to the number of ones that i and j have in common in binary. The matrix is orthogonal, so
/// the exact product of two operands that are both transformed along the contraction axis is
/// that of the operands themselves. Its inverse is its transpose.
///
/// **Blocks.** An axis of n values is cut into blocks of d from the start. A tail is cut into
/// powers of two, the largest first (13 values into 8, 4 and 1), each transformed at its own length
/// with the first of the signs. So the whole axis is always rotated, and how depends only on n.
///
/// **Arithmetic.** Multiplication by the signs; butterflies (a, b) → (a + b, a - b) at distances 1,
/// 2, 4, ..., d/2; multiplication by fl(1 / √d): each one FP32 operation. Both implementations of
/// the axes give the same bits. For d = 4^k the last factor is a power of two.
///
/// Sources: arXiv 2509.25149 (16 points); arXiv 2505.14669 (32 points).
public struct HadamardTransform: Hashable, Sendable {
  /// The signs s, each +1 or -1; their number is the block length.
  public let signs: [Float]
  /// The block length d.
  public var length: Int { signs.count }

  /// Creates a transform with given signs.
  ///
  /// - Precondition: the number of signs is one of `OperandTransform.lengths`, and each is +1 or -1.
  public init(signs: [Float]) {
    require(
      OperandTransform.lengths.contains(signs.count),
      "a Hadamard matrix of \(signs.count) is not among \(OperandTransform.lengths)")
    require(signs.allSatisfy { abs($0) == 1 }, "signs are +1 or -1")
    self.signs = signs
  }

  /// Creates the plain transform, whose signs are all +1.
  public init(length: Int) {
    self.init(signs: Array(repeating: 1, count: length))
  }

  /// Which way a transform goes.
  public enum Direction: Hashable, Sendable, CaseIterable {
    /// x' = (x ⊙ s) H / √d.
    case forward
    /// x = (x' H / √d) ⊙ s: the transpose, which undoes `forward` up to rounding.
    case transposed
  }

  /// Transforms a row-major matrix along one of its axes.
  ///
  /// - Parameters:
  ///   - source: the values.
  ///   - result: receives the transformed values; may be the memory of `source`.
  ///   - rows: the number of rows.
  ///   - columns: the number of columns.
  ///   - axis: 1 transforms each row, 0 each column.
  ///   - direction: the transform or its transpose.
  /// - Precondition: both buffers hold `rows` · `columns` values; `axis` is 0 or 1.
  public func transform(
    _ source: UnsafeBufferPointer<Float>, into result: UnsafeMutableBufferPointer<Float>,
    rows: Int, columns: Int, axis: Int, direction: Direction = .forward
  ) {
    require(rows >= 0 && columns >= 0, "\(rows)x\(columns) is no matrix")
    require(
      source.count == rows * columns && result.count == rows * columns,
      "buffers of \(source.count) and \(result.count) values for a matrix of \(rows)x\(columns)")
    require(axis == 0 || axis == 1, "a matrix has no axis \(axis)")
    guard let source = source.baseAddress, let result = result.baseAddress else { return }
    if axis == 1 {
      transformRows(
        source, stride: columns, into: result, rows: rows, columns: columns, direction)
    } else {
      let segments = HadamardTransform.segments(of: rows, length: length)
      transformColumns(source, result, columns, segments, direction)
    }
  }

  /// Transforms a row-major matrix along one of its axes.
  public func transformed(
    _ values: [Float], rows: Int, columns: Int, axis: Int, direction: Direction = .forward
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: values.count) { result, count in
      let result = UnsafeMutableBufferPointer(rebasing: result[..<values.count])
      values.withUnsafeBufferPointer {
        transform(
          $0, into: result, rows: rows, columns: columns, axis: axis, direction: direction)
      }
      count = values.count
    }
  }

  /// The blocks of an axis: full ones, then a tail in powers of two, the largest first.
  static func segments(of count: Int, length: Int) -> [Range<Int>] {
    var segments: [Range<Int>] = []
    var (start, size) = (0, length)
    while start < count {
      while size > count - start { size /= 2 }
      segments.append(start..<start + size)
      start += size
    }
    return segments
  }

  /// fl(1 / √d), the factor of a block of d values.
  static func factor(_ length: Int) -> Float { Float(1 / Double(length).squareRoot()) }
}
