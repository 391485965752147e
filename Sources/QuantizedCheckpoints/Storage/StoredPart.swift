internal import BlockFormats
internal import CallerChecks

/// The stored tensor of one field of a format, and how the field's codes lie in it.
struct StoredPart: Sendable {
  /// What is stored; nil for a scale of the tensor that is left out, which is 1.
  let stored: StoredTensor?
  /// How codes lie in it.
  let coding: PartCoding

  init(_ stored: StoredTensor?, _ coding: PartCoding) {
    self.stored = stored
    self.coding = coding
  }

  /// A slice of a plane: whole rows, or a part of one row.
  struct Slice {
    /// The plane of the whole tensor.
    let whole: PlaneLayout
    /// The plane of the slice as a tensor of its own.
    let own: PlaneLayout
    /// Its first row in the whole.
    let firstRow: Int
    /// Its first code in that row; 0 where rows are whole.
    let firstCode: Int

    /// The number of codes before it.
    var firstIndex: Int { firstRow * whole.rowLength + firstCode }
    /// The number of its codes.
    var codeCount: Int { own.rowCount * own.rowLength }
    /// Its codes in each of its rows.
    var codes: Range<Int> { firstCode..<firstCode + own.rowLength }
    /// The bytes before it in its first row; parts of rows begin with a byte.
    var firstByte: Int { firstCode * own.bitWidth / 8 }
  }

  /// The bytes of a slice as `BitPlane` has them.
  func planeBytes(_ slice: Slice) throws(ModelCheckpointError) -> [UInt8] {
    guard let stored else { return Self.bytes(of: [1]) }
    switch coding {
    case .plane, .highNibbleFirst:
      let start = slice.firstRow * slice.whole.bytesPerRow + slice.firstByte
      var bytes = try stored.bytes(in: start..<start + slice.own.byteCount)
      if coding == .highNibbleFirst {
        for index in bytes.indices { bytes[index] = bytes[index] >> 4 | bytes[index] << 4 }
      }
      return bytes
    case .bytes:
      let codes = try stored.bytes(in: slice.firstIndex..<slice.firstIndex + slice.codeCount)
      if let code = codes.first(where: { Int($0) >> slice.own.bitWidth != 0 }) {
        throw .tensor(
          path: stored.path, name: stored.name,
          reason: "holds the byte \(code), which is no code of \(slice.own.bitWidth) bits")
      }
      return BitPlane(
        rowCount: slice.own.rowCount, rowLength: slice.own.rowLength,
        bitWidth: slice.own.bitWidth, codes: codes.map(UInt32.init)
      ).bytes
    case .offsetWords: return try fromWords(stored, slice)
    case .floats:
      return Self.bytes(
        of: try stored.floats(in: slice.firstIndex..<slice.firstIndex + slice.codeCount))
    case .tensorScale(let form):
      return Self.bytes(of: try stored.floats(in: 0..<1).map(form.multiplier))
    case .tiles128x4:
      let tiles = ScaleTiles(rows: slice.whole.rowCount, columns: slice.whole.rowLength)
      let rows = slice.firstRow..<slice.firstRow + slice.own.rowCount
      let rowBytes = tiles.tileColumns * ScaleTiles.tileByteCount
      let bytes = try stored.bytes(
        in: rows.lowerBound / 128 * rowBytes..<(rows.upperBound + 127) / 128 * rowBytes)
      return tiles.rows(rows, slice.codes, from: bytes)
    }
  }

  /// Rows of words of 32 bits, whose codes lie half their range above the integers.
  private func fromWords(
    _ stored: StoredTensor, _ slice: Slice
  ) throws(ModelCheckpointError) -> [UInt8] {
    let stride = Self.wordRowBytes(slice.whole)
    let bytes = try stored.bytes(
      in: slice.firstRow * stride..<(slice.firstRow + slice.own.rowCount) * stride)
    let (kept, pattern) = (slice.own.bytesPerRow, Self.topBits(slice.own))
    var result: [UInt8] = []
    result.reserveCapacity(slice.own.byteCount)
    for row in 0..<slice.own.rowCount {
      let start = row * stride + slice.firstByte
      for byte in 0..<kept { result.append(bytes[start + byte] ^ pattern[byte]) }
    }
    return result
  }

  /// The bytes of a row of words.
  static func wordRowBytes(_ plane: PlaneLayout) -> Int {
    (plane.rowLength * plane.bitWidth + 31) / 32 * 4
  }

  /// A row of codes of which only the highest bit is set.
  static func topBits(_ plane: PlaneLayout) -> [UInt8] {
    BitPlane(
      rowCount: 1, rowLength: plane.rowLength, bitWidth: plane.bitWidth,
      codes: [UInt32](repeating: 1 << UInt32(plane.bitWidth - 1), count: plane.rowLength)
    ).bytes
  }

  /// The patterns of FP32 numbers, little-endian.
  static func bytes(of numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
    }
  }
}
