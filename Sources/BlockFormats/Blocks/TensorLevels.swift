/// What all blocks of a tensor share.
struct TensorLevels: Sendable {
  var tensorScale = TensorScale(encode: 1, decode: 1)
  /// What a block that spans the tensor stores besides its elements.
  var block: Block?
  /// The index in the tensor of the first value at hand, by which random words are drawn.
  var firstElement = 0
  private let tensorField: Int?

  init(_ layout: BlockLayout) { tensorField = layout.tensorField }

  /// Whether kernels can work with the scales.
  var areUsable: Bool { !tensorScale.encode.isNaN }

  /// Whether a scale made the whole tensor NaN.
  var isNaN: Bool { tensorScale.encode.isNaN || block?.encodeMultiplier.isNaN ?? false }

  /// The codes of a field that are the same for all blocks; `nil` where blocks have their own.
  func codes(_ field: Int) -> [UInt32]? {
    field == tensorField ? [tensorScale.decode.bitPattern] : block?.codes[field]
  }

  /// Puts a caller's decode multiplier in the place of the tensor's scale: the tensor scale, or
  /// the one FP32 scale of a whole-tensor block.
  mutating func take(_ decode: Float, for layout: BlockLayout) {
    let scale = TensorScale(decode: decode)
    if layout.tensorField != nil {
      tensorScale = scale
    } else if layout.hasOneFloat32Scale {
      block = Block(
        codes: layout.fields.map { $0.extent == .perBlock(1) ? [decode.bitPattern] : nil },
        encodeMultiplier: scale.encode)
    }
  }

  /// A block that spans the tensor, without its elements.
  struct Block: Sendable {
    /// The codes of each field that has some for the block; `nil` for other fields.
    var codes: [[UInt32]?]
    var encodeMultiplier: Float

    /// The code of the first such field.
    var scale: UInt32 { codes.lazy.compactMap(\.self).first?.first ?? 0 }
  }
}
