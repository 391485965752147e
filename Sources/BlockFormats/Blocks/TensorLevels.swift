/// What all blocks of a tensor share.
struct TensorLevels: Sendable {
  var tensorScale = TensorScale(encode: 1, decode: 1)
  /// The opaque number of the tensor, of formats that have one.
  var number: Float = 0
  /// What a block that spans the tensor stores besides its elements.
  var block: Block?
  /// The index in the tensor of the first value at hand, by which random words are drawn.
  var firstElement = 0
  private let tensorField: Int?
  private let numberField: Int?

  init(_ layout: BlockLayout) {
    tensorField = layout.tensorField
    numberField = layout.numberField
  }

  /// Whether kernels can work with the scales.
  var areUsable: Bool { !tensorScale.encode.isNaN }

  /// Whether a scale made the whole tensor NaN.
  var isNaN: Bool { tensorScale.encode.isNaN || block?.encodeMultiplier.isNaN ?? false }

  /// The codes of a field that are the same for all blocks; `nil` where blocks have their own.
  func codes(_ field: Int) -> [UInt32]? {
    if field == tensorField { return [tensorScale.decode.bitPattern] }
    return field == numberField ? [number.bitPattern] : block?.codes(field)
  }

  /// Puts a caller's decode multiplier in the place of the tensor's scale: the tensor scale, or
  /// the one FP32 scale of a whole-tensor block.
  mutating func take(_ decode: Float, for layout: BlockLayout) {
    let scale = TensorScale(decode: decode)
    if layout.tensorField != nil {
      tensorScale = scale
    } else if layout.hasOneFloat32Scale {
      block = Block(
        scaleField: layout.factors?.scale?.field ?? 1, scale: decode.bitPattern,
        encodeMultiplier: scale.encode)
    }
  }

  /// A block that spans the tensor, without its elements: mostly one scale.
  struct Block: Sendable {
    private let scaleField: Int
    /// The first code of the first field that has codes of the block.
    let scale: UInt32
    /// The codes of each field that has codes of the block; empty where there is one scale.
    private let others: [[UInt32]?]
    let encodeMultiplier: Float

    /// A block with one scale.
    init(scaleField: Int, scale: UInt32, encodeMultiplier: Float) {
      self.scaleField = scaleField
      self.scale = scale
      others = []
      self.encodeMultiplier = encodeMultiplier
    }

    /// A block whose fields have some codes; `nil` for fields that are not the block's.
    init(codes: [[UInt32]?], encodeMultiplier: Float) {
      scaleField = codes.firstIndex { $0 != nil } ?? 0
      scale = codes.lazy.compactMap(\.self).first?.first ?? 0
      others = codes
      self.encodeMultiplier = encodeMultiplier
    }

    /// The codes of a field; `nil` for fields that are not the block's.
    func codes(_ field: Int) -> [UInt32]? {
      if others.isEmpty { return field == scaleField ? [scale] : nil }
      return others[field]
    }
  }
}
