/// The stored fields of one block, as integers in the caller's scratch memory.
public struct BlockFields {
  /// The code of the block's scale in `layout.scale`.
  public var scale: UInt32
  /// One sub-scale for every sub-block of the block, the last one possibly short.
  public let subscales: UnsafeMutableBufferPointer<UInt32>
  /// The codes, as many as `layout.codes` says: one for every value, or a fixed number.
  public let codes: UnsafeMutableBufferPointer<UInt32>
  /// What a format hands from its scale step to its element step besides the stored scale, such as
  /// the exact encode multiplier; never stored.
  public var encodeMultiplier: Float = 1
  /// Events counted while encoding.
  public var tally = EncodingTally()

  /// Wraps scratch memory that outlives the fields.
  public init(
    scale: UInt32 = 0, subscales: UnsafeMutableBufferPointer<UInt32>,
    codes: UnsafeMutableBufferPointer<UInt32>
  ) {
    self.scale = scale
    self.subscales = subscales
    self.codes = codes
  }
}

/// The FP32 scale of a whole tensor.
public struct TensorScale: Hashable, Sendable {
  /// Multiplies while encoding.
  public var encode: Float
  /// Multiplies while decoding; this one is stored.
  public var decode: Float

  /// Creates a scale from both multipliers.
  public init(encode: Float, decode: Float) {
    self.encode = encode
    self.decode = decode
  }

  /// The scale with a given decode multiplier X; the encode multiplier is min(fl(1 / X), FLT_MAX).
  public init(decode: Float) {
    self.init(encode: min(1 / decode, .greatestFiniteMagnitude), decode: decode)
  }

  /// min(fl(1 / encode), FLT_MAX).
  package var encodeReciprocal: Float { min(1 / encode, .greatestFiniteMagnitude) }

  /// The smallest decode multiplier: what the largest encode multiplier stores, a subnormal.
  ///
  /// Below it no encode multiplier of FP32 is near the reciprocal.
  public static let leastDecode: Float = 0x1p-128

  /// Whether a number can be a decode multiplier: finite and at least `leastDecode`.
  public static func isValid(decode: Float) -> Bool {
    decode >= leastDecode && decode.isFinite
  }
}
