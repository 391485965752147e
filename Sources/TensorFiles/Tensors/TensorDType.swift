/// The element type of a stored tensor, named as safetensors names it.
///
/// The raw value is the exact, case-sensitive string of a safetensors header. Cases are declared in
/// the order of the reference implementation's enumeration, which its writer uses to lay tensors
/// out, so `allCases` doubles as that order.
public enum TensorDType: String, CaseIterable, Hashable, Sendable {
  /// A truth value, one byte each.
  case bool = "BOOL"
  /// A four-bit float, two to a byte. The nibble order is the producer's.
  case f4 = "F4"
  /// A six-bit float with two exponent and three fraction bits, four to three bytes.
  case f6E2M3 = "F6_E2M3"
  /// A six-bit float with three exponent and two fraction bits, four to three bytes.
  case f6E3M2 = "F6_E3M2"
  /// An unsigned 8-bit integer.
  case u8 = "U8"
  /// A signed 8-bit integer.
  case i8 = "I8"
  /// An 8-bit float with five exponent and two fraction bits, and infinities.
  case f8E5M2 = "F8_E5M2"
  /// An 8-bit float with four exponent and three fraction bits, finite except for NaN.
  case f8E4M3 = "F8_E4M3"
  /// An 8-bit power-of-two scale without a sign.
  case f8E8M0 = "F8_E8M0"
  /// An 8-bit float with four exponent bits, no negative zero and one NaN.
  case f8E4M3FNUZ = "F8_E4M3FNUZ"
  /// An 8-bit float with five exponent bits, no negative zero and one NaN.
  case f8E5M2FNUZ = "F8_E5M2FNUZ"
  /// A signed 16-bit integer.
  case i16 = "I16"
  /// An unsigned 16-bit integer.
  case u16 = "U16"
  /// An IEEE 754 binary16 float.
  case f16 = "F16"
  /// The upper half of an IEEE 754 binary32 float.
  case bf16 = "BF16"
  /// A signed 32-bit integer.
  case i32 = "I32"
  /// An unsigned 32-bit integer.
  case u32 = "U32"
  /// An IEEE 754 binary32 float.
  case f32 = "F32"
  /// A complex number of two binary32 floats.
  case c64 = "C64"
  /// An IEEE 754 binary64 float.
  case f64 = "F64"
  /// A signed 64-bit integer.
  case i64 = "I64"
  /// An unsigned 64-bit integer.
  case u64 = "U64"

  /// The dtypes whose elements are read as `Float`: exactly, but for F64, which is rounded once.
  public static let floatReadable = allCases.filter { FloatEncoding($0) != nil }

  /// The number of bits that one element takes in a file.
  public var bitWidth: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }
}
