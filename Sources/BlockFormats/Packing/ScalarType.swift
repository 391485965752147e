/// The number type of a caller's buffer, in the machine's byte order.
///
/// The library computes in FP32. Buffers of the 16-bit types are widened exactly when read; when
/// written, the FP32 result is rounded to nearest, ties to even, and NaN becomes the canonical one.
public enum ScalarType: String, Hashable, Sendable, CaseIterable {
  /// IEEE 754 binary32.
  case float32 = "fp32"
  /// IEEE 754 binary16.
  case float16 = "fp16"
  /// bfloat16, the upper half of binary32.
  case bfloat16 = "bf16"

  /// The name in options and reports.
  public var id: String { rawValue }

  /// The bytes of a value.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}
