internal import BlockFormats

/// In which order the rows of a matrix are handed out.
///
/// A rotary embedding turns pairs of a head's values. llama.cpp keeps the two values of a pair side by side;
/// transformers keeps the first values of all pairs in the first half of the head, the second ones in the
/// other.
enum RowOrder: Hashable, Sendable {
  /// As they are stored.
  case stored
  /// Rows stored in pairs, handed out in halves.
  case halvesOfPairs(heads: Int)
  /// Rows stored in halves, handed out in pairs.
  case pairsOfHalves(heads: Int)

  /// The stored row of each row.
  ///
  /// - Precondition: the heads divide the rows, and each has an even number.
  func sources(rows: Int) -> [Int] {
    switch self {
    case .stored: return Array(0..<rows)
    case .halvesOfPairs(let heads):
      let (size, half) = (rows / heads, rows / heads / 2)
      return (0..<rows).map { row in
        let place = row % size
        return row - place + (place < half ? 2 * place : 2 * (place - half) + 1)
      }
    case .pairsOfHalves(let heads):
      let (size, half) = (rows / heads, rows / heads / 2)
      return (0..<rows).map { row in
        let place = row % size
        return row - place + (place % 2 == 0 ? place / 2 : half + place / 2)
      }
    }
  }

  /// Whether a number of rows can be ordered so.
  func fits(rows: Int) -> Bool {
    switch self {
    case .stored: true
    case .halvesOfPairs(let heads), .pairsOfHalves(let heads):
      heads > 0 && rows % heads == 0 && rows / heads % 2 == 0
    }
  }

  /// Rows of as many bytes each in this order.
  func ordered(_ bytes: [UInt8], rows: Int) -> [UInt8] {
    guard self != .stored, rows > 0 else { return bytes }
    let count = bytes.count / rows
    return sources(rows: rows).flatMap { bytes[$0 * count..<($0 + 1) * count] }
  }
}

extension QuantizedTensor {
  /// The tensor with its rows in another order.
  ///
  /// - Precondition: blocks lie within rows of a matrix.
  func ordered(_ order: RowOrder) throws(StorageError) -> QuantizedTensor {
    guard order != .stored else { return self }
    let rows = shape.dropLast().reduce(1, *)
    let planes = planes.map { plane in
      guard plane.rowCount == rows else { return plane }
      return BitPlane(
        rowCount: plane.rowCount, rowLength: plane.rowLength, bitWidth: plane.bitWidth,
        bytes: order.ordered(plane.bytes, rows: rows))
    }
    return try QuantizedTensor(format: format, shape: shape, planes: planes)
  }
}
