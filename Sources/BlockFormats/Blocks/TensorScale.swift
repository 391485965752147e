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
