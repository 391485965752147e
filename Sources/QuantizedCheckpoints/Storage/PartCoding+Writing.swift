internal import BlockFormats
internal import CallerChecks

extension PartCoding {
  /// The bytes that a producer stores for a slice of a plane, with their place in its tensor.
  ///
  /// - Parameters:
  ///   - bytes: those of the slice as `BitPlane` has them.
  ///   - slice: whole rows, or a part of one that begins and ends with a byte.
  /// - Precondition: not `tiles128x4`, of which slices have no place of their own.
  func stored(_ bytes: [UInt8], of slice: StoredPart.Slice) -> (bytes: [UInt8], offset: Int) {
    switch self {
    case .plane:
      return (bytes, Self.planeOffset(slice))
    case .highNibbleFirst:
      return (bytes.map { $0 >> 4 | $0 << 4 }, Self.planeOffset(slice))
    case .floats:
      return (bytes, 4 * slice.firstIndex)
    case .bytes:
      let codes = BitPlane(
        rowCount: slice.own.rowCount, rowLength: slice.own.rowLength,
        bitWidth: slice.own.bitWidth, bytes: bytes
      ).unpacked()
      return (codes.map { UInt8(truncatingIfNeeded: $0) }, slice.firstIndex)
    case .offsetWords:
      let (stride, kept) = (StoredPart.wordRowBytes(slice.whole), slice.own.bytesPerRow)
      let pattern = StoredPart.topBits(slice.own)
      // The last part of a row fills up its last word.
      let isLast = slice.codes.upperBound == slice.whole.rowLength
      let count = isLast ? stride - slice.firstByte : kept
      var words = [UInt8](repeating: 0, count: count * slice.own.rowCount)
      for row in 0..<slice.own.rowCount {
        for byte in 0..<kept {
          words[row * count + byte] = bytes[row * kept + byte] ^ pattern[byte]
        }
      }
      return (words, slice.firstRow * stride + slice.firstByte)
    case .tensorScale(let form):
      let pattern = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return (StoredPart.bytes(of: [form.stored(for: Float(bitPattern: pattern))]), 0)
    case .tiles128x4: refuse("scales in tiles are not written in slices")
    }
  }

  private static func planeOffset(_ slice: StoredPart.Slice) -> Int {
    slice.firstRow * slice.whole.bytesPerRow + slice.firstByte
  }
}
