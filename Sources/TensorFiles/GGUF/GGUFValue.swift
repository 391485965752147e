/// A metadata value of a GGUF file.
///
/// Two values are equal if their bytes in a file are: a NaN equals itself, the zeros of both signs
/// differ, and so do two Unicode spellings of one letter.
public enum GGUFValue: Sendable {
  /// An unsigned 8-bit integer.
  case uint8(UInt8)
  /// A signed 8-bit integer.
  case int8(Int8)
  /// An unsigned 16-bit integer.
  case uint16(UInt16)
  /// A signed 16-bit integer.
  case int16(Int16)
  /// An unsigned 32-bit integer.
  case uint32(UInt32)
  /// A signed 32-bit integer.
  case int32(Int32)
  /// An IEEE 754 binary32 float.
  case float32(Float)
  /// A truth value.
  case bool(Bool)
  /// A text.
  case string(String)
  /// A number of values of one type.
  case array(GGUFArray)
  /// An unsigned 64-bit integer.
  case uint64(UInt64)
  /// A signed 64-bit integer.
  case int64(Int64)
  /// An IEEE 754 binary64 float.
  case float64(Double)

  /// The type of the value.
  public var kind: GGUFValueKind {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    case .array: .array
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    }
  }

  /// An integer of any width, or nil for other values and for integers beyond an `Int`.
  ///
  /// Writers differ in the width they choose for one key, so readers ask for the number.
  public var integer: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(exactly: value)
    case .float32, .bool, .string, .array, .float64: nil
    }
  }

  /// A float of either width, or nil for other values.
  public var floatingPoint: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    default: nil
    }
  }

  /// A truth value, or nil for other values.
  public var truth: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// A text, or nil for other values.
  public var text: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// An array, or nil for other values.
  public var elements: GGUFArray? {
    if case .array(let value) = self { value } else { nil }
  }
}

extension GGUFValue: Equatable {
  /// Whether two values are of one type and have the same bytes.
  public static func == (first: GGUFValue, second: GGUFValue) -> Bool {
    if case (.array(let first), .array(let second)) = (first, second) { return first == second }
    return first.kind == second.kind && first.encoded == second.encoded
  }

  /// The bytes of the value in a file, without its type.
  private var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendGGUF(self)
    return bytes
  }
}
