internal import BlockFormats

extension BlockFormat {
  /// Where ggml puts the bits of a block; nil for formats that it does not have.
  var ggmlPacking: BlockPacking? {
    packings.first { $0.name == "ggml" }
      ?? (FormatKind(self) == .mx(element: .e2m1fn) ? .mxfp4 : nil)
  }
}

extension BlockPacking {
  /// MXFP4 in 17 bytes: the scale, then a byte for each of the first sixteen elements, in the low half, and
  /// the one sixteen behind it, in the high half.
  ///
  /// Source: ggml, `block_mxfp4`.
  fileprivate static let mxfp4 = BlockPacking("ggml", streams: [("blocks", byteCount: 17)]) {
    field, index, bit in
    field == 0 ? Place(bit: 8 + 8 * (index % 16) + 4 * (index / 16) + bit) : Place(bit: bit)
  }
}
