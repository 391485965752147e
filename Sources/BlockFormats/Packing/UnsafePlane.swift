/// A packed plane in memory that somebody else owns.
struct UnsafePlane: @unchecked Sendable {
  let bitWidth: Int
  let bytesPerRow: Int
  let bytes: UnsafeMutableBufferPointer<UInt8>

  init(_ plane: BitPlane, over bytes: UnsafeMutableBufferPointer<UInt8>) {
    bitWidth = plane.bitWidth
    bytesPerRow = plane.bytesPerRow
    self.bytes = bytes
  }

  /// Packs a rectangle whose rows start on byte boundaries.
  func store(
    _ codes: UnsafeMutableBufferPointer<UInt32>, rows: Range<Int>, columns: Range<Int>
  ) {
    let width = columns.count
    for (part, row) in rows.enumerated() {
      BitPacking.pack(
        UnsafeBufferPointer(rebasing: codes[part * width..<(part + 1) * width]),
        bitWidth: bitWidth,
        into: UnsafeMutableBufferPointer(rebasing: bytes[span(row, columns)]))
    }
  }

  /// Unpacks a rectangle whose rows start on byte boundaries.
  func load(
    rows: Range<Int>, columns: Range<Int>, into codes: UnsafeMutableBufferPointer<UInt32>
  ) {
    let width = columns.count
    for (part, row) in rows.enumerated() {
      BitPacking.unpack(
        UnsafeBufferPointer(rebasing: bytes[span(row, columns)]), bitWidth: bitWidth,
        into: UnsafeMutableBufferPointer(rebasing: codes[part * width..<(part + 1) * width]))
    }
  }

  /// The bytes of consecutive codes of a row that start on a byte boundary.
  private func span(_ row: Int, _ columns: Range<Int>) -> Range<Int> {
    let start = row * bytesPerRow
    return start + columns.lowerBound * bitWidth
      / 8..<start + (columns.upperBound * bitWidth + 7) / 8
  }
}
