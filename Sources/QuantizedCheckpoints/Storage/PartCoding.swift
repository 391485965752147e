/// How the codes of one field of a format lie in a stored tensor.
///
/// Producers agree on more than their names say: most store the planes of `QuantizedTensor` as they are,
/// with the element of even index in the low half of a byte.
enum PartCoding: Hashable, Sendable {
  /// As `BitPlane` has them: from the lowest bit of a row's first byte on. Words of 32 bits in
  /// little-endian order hold the same bytes.
  case plane
  /// Four bits, the element of even index in the high half of a byte.
  case highNibbleFirst
  /// One byte for each code, in its low bits.
  case bytes
  /// Signed integers plus half their range, each row from the lowest bit of its first word of 32 bits on.
  case offsetWords
  /// FP32 numbers, stored in FP32, FP16 or BF16.
  case floats
  /// One FP32 number of the tensor, and how it is told.
  case tensorScale(TensorScaleForm)
  /// Bytes in tiles of 128 rows and 4 columns, as matrix units read scales.
  case tiles128x4
}

/// How a producer tells the scale of a tensor.
enum TensorScaleForm: Hashable, Sendable {
  /// By the factor that decodes.
  case multiplier
  /// By the factor that encodes: its reciprocal decodes.
  case reciprocal
  /// By the largest magnitude: a 2688th of it decodes, 6 · 448 being the largest product of E2M1 and E4M3.
  case largestMagnitude

  /// The factor that decodes.
  func multiplier(of stored: Float) -> Float {
    switch self {
    case .multiplier: stored
    case .reciprocal: 1 / stored
    case .largestMagnitude: stored / 2688
    }
  }

  /// What is stored for a factor that decodes; rounded, but for `.multiplier`.
  func stored(for multiplier: Float) -> Float {
    switch self {
    case .multiplier: multiplier
    case .reciprocal: 1 / multiplier
    case .largestMagnitude: multiplier * 2688
    }
  }
}

/// The places of scales in tiles of 128 rows and 4 columns.
///
/// A tile is 512 bytes: 32 groups of 16, group r of the rows r, r + 32, r + 64 and r + 96 with four columns
/// each. Rows and columns are filled up with zeros.
///
/// Source: cuBLAS documentation, "1D block scaling factors layout"; torchao and TransformerEngine agree.
struct ScaleTiles: Hashable, Sendable {
  /// The rows of scales.
  let rows: Int
  /// The columns of scales.
  let columns: Int

  /// The tiles beside each other.
  var tileColumns: Int { (columns + 3) / 4 }
  /// The tiles below each other.
  var tileRows: Int { (rows + 127) / 128 }
  /// The bytes of all tiles.
  var byteCount: Int { tileRows * tileColumns * Self.tileByteCount }

  static let tileByteCount = 512

  /// The byte of a scale.
  func offset(row: Int, column: Int) -> Int {
    ((row / 128) * tileColumns + column / 4) * Self.tileByteCount
      + (row % 32) * 16 + (row % 128) / 32 * 4 + column % 4
  }

  /// Scales in rows, from the bytes of the tiles that hold them.
  ///
  /// - Parameters:
  ///   - bytes: those of whole rows of tiles, from the one that holds the first row on.
  ///   - range: the rows.
  ///   - part: the columns of each.
  func rows(_ range: Range<Int>, _ part: Range<Int>, from bytes: [UInt8]) -> [UInt8] {
    let start = range.lowerBound / 128 * tileColumns * Self.tileByteCount
    return range.flatMap { row in
      part.map { bytes[offset(row: row, column: $0) - start] }
    }
  }

  /// The tiles of scales in rows.
  func tiles(of scales: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    for row in 0..<rows {
      for column in 0..<columns {
        bytes[offset(row: row, column: column)] = scales[row * columns + column]
      }
    }
    return bytes
  }
}
