/// The type of a metadata value of a GGUF file.
///
/// The raw value is the number that stands for the type in files.
public enum GGUFValueKind: UInt32, CaseIterable, Hashable, Sendable {
  /// An unsigned 8-bit integer.
  case uint8 = 0
  /// A signed 8-bit integer.
  case int8 = 1
  /// An unsigned 16-bit integer.
  case uint16 = 2
  /// A signed 16-bit integer.
  case int16 = 3
  /// An unsigned 32-bit integer.
  case uint32 = 4
  /// A signed 32-bit integer.
  case int32 = 5
  /// An IEEE 754 binary32 float.
  case float32 = 6
  /// A truth value, a byte of 0 or 1.
  case bool = 7
  /// A text in UTF-8 behind its length.
  case string = 8
  /// A number of values of one type, which is no array.
  case array = 9
  /// An unsigned 64-bit integer.
  case uint64 = 10
  /// A signed 64-bit integer.
  case int64 = 11
  /// An IEEE 754 binary64 float.
  case float64 = 12

  /// The bytes that a value takes in a file; nil for strings and arrays, which differ.
  public var byteCount: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}
