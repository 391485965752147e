/// An element type of GGUF tensors: blocks of so many elements in so many bytes.
///
/// A type of whole numbers or plain floats is a block of one. A row, the innermost extent of a
/// tensor, is always a whole number of blocks.
///
/// Source: ggml's enumeration `ggml_type` and its block structures (ggml 0.25).
public struct GGMLType: Hashable, Sendable {
  /// The number that stands for the type in files.
  public let id: UInt32
  /// The name without ggml's prefix, such as `Q4_K`.
  public let name: String
  /// The number of elements in a block.
  public let blockLength: Int
  /// The number of bytes that a block takes.
  public let blockByteCount: Int

  private init(_ id: UInt32, _ name: String, _ blockLength: Int, _ blockByteCount: Int) {
    self.id = id
    self.name = name
    self.blockLength = blockLength
    self.blockByteCount = blockByteCount
  }

  /// The type of a number, or nil for a number that no type has, or no longer has.
  public init?(id: UInt32) {
    guard let type = Self.byID[id] else { return nil }
    self = type
  }

  /// The type of a name in any case, or nil.
  public init?(name: String) {
    guard let type = Self.byName[name.uppercased()] else { return nil }
    self = type
  }

  /// The bytes that as many elements take, or nil if they do not fill whole blocks or the number of
  /// bytes is beyond an `Int`.
  ///
  /// - Precondition: `count` is not negative.
  public func byteCount(ofElements count: Int) -> Int? {
    guard count >= 0, count % blockLength == 0 else { return nil }
    let (bytes, overflow) = (count / blockLength).multipliedReportingOverflow(by: blockByteCount)
    return overflow ? nil : bytes
  }

  /// Every type that files may hold, in the order of their numbers.
  public static let all: [GGMLType] = [
    .f32, .f16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q8_1, .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .q8_k,
    .iq2_xxs, .iq2_xs, .iq3_xxs, .iq1_s, .iq4_nl, .iq3_s, .iq2_s, .iq4_xs, .i8, .i16, .i32, .i64,
    .f64, .iq1_m, .bf16, .tq1_0, .tq2_0, .mxfp4, .nvfp4, .q1_0, .q2_0,
  ]

  private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

extension GGMLType: CustomStringConvertible {
  /// The name.
  public var description: String { name }
}

// MARK: - The types

extension GGMLType {
  /// An IEEE 754 binary32 float.
  public static let f32 = GGMLType(0, "F32", 1, 4)
  /// An IEEE 754 binary16 float.
  public static let f16 = GGMLType(1, "F16", 1, 2)
  /// Four bits and an FP16 scale for 32 elements.
  public static let q4_0 = GGMLType(2, "Q4_0", 32, 18)
  /// Four bits, an FP16 scale and an FP16 minimum for 32 elements.
  public static let q4_1 = GGMLType(3, "Q4_1", 32, 20)
  /// Five bits and an FP16 scale for 32 elements.
  public static let q5_0 = GGMLType(6, "Q5_0", 32, 22)
  /// Five bits, an FP16 scale and an FP16 minimum for 32 elements.
  public static let q5_1 = GGMLType(7, "Q5_1", 32, 24)
  /// Eight bits and an FP16 scale for 32 elements.
  public static let q8_0 = GGMLType(8, "Q8_0", 32, 34)
  /// Eight bits, an FP16 scale and an FP16 sum for 32 elements, which ggml keeps in memory only.
  public static let q8_1 = GGMLType(9, "Q8_1", 32, 36)
  /// Two bits with two levels of scales and minimums for 256 elements.
  public static let q2_k = GGMLType(10, "Q2_K", 256, 84)
  /// Three bits with two levels of scales for 256 elements.
  public static let q3_k = GGMLType(11, "Q3_K", 256, 110)
  /// Four bits with two levels of scales and minimums for 256 elements.
  public static let q4_k = GGMLType(12, "Q4_K", 256, 144)
  /// Five bits with two levels of scales and minimums for 256 elements.
  public static let q5_k = GGMLType(13, "Q5_K", 256, 176)
  /// Six bits with two levels of scales for 256 elements.
  public static let q6_k = GGMLType(14, "Q6_K", 256, 210)
  /// Eight bits, a binary32 scale and sums for 256 elements, which ggml keeps in memory only.
  public static let q8_k = GGMLType(15, "Q8_K", 256, 292)
  /// A codebook of 2.06 bits an element.
  public static let iq2_xxs = GGMLType(16, "IQ2_XXS", 256, 66)
  /// A codebook of 2.31 bits an element.
  public static let iq2_xs = GGMLType(17, "IQ2_XS", 256, 74)
  /// A codebook of 3.06 bits an element.
  public static let iq3_xxs = GGMLType(18, "IQ3_XXS", 256, 98)
  /// A codebook of 1.56 bits an element.
  public static let iq1_s = GGMLType(19, "IQ1_S", 256, 50)
  /// Four bits that index a table of values, and an FP16 scale, for 32 elements.
  public static let iq4_nl = GGMLType(20, "IQ4_NL", 32, 18)
  /// A codebook of 3.44 bits an element.
  public static let iq3_s = GGMLType(21, "IQ3_S", 256, 110)
  /// A codebook of 2.56 bits an element.
  public static let iq2_s = GGMLType(22, "IQ2_S", 256, 82)
  /// Four bits that index a table of values, with two levels of scales, for 256 elements.
  public static let iq4_xs = GGMLType(23, "IQ4_XS", 256, 136)
  /// A signed 8-bit integer.
  public static let i8 = GGMLType(24, "I8", 1, 1)
  /// A signed 16-bit integer.
  public static let i16 = GGMLType(25, "I16", 1, 2)
  /// A signed 32-bit integer.
  public static let i32 = GGMLType(26, "I32", 1, 4)
  /// A signed 64-bit integer.
  public static let i64 = GGMLType(27, "I64", 1, 8)
  /// An IEEE 754 binary64 float.
  public static let f64 = GGMLType(28, "F64", 1, 8)
  /// A codebook of 1.75 bits an element.
  public static let iq1_m = GGMLType(29, "IQ1_M", 256, 56)
  /// The upper half of an IEEE 754 binary32 float.
  public static let bf16 = GGMLType(30, "BF16", 1, 2)
  /// Ternary digits, five to a byte, and an FP16 scale for 256 elements.
  public static let tq1_0 = GGMLType(34, "TQ1_0", 256, 54)
  /// Ternary digits of two bits and an FP16 scale for 256 elements.
  public static let tq2_0 = GGMLType(35, "TQ2_0", 256, 66)
  /// E2M1 elements and an E8M0 scale for 32 of them.
  public static let mxfp4 = GGMLType(39, "MXFP4", 32, 17)
  /// E2M1 elements and an E4M3 scale for every 16 of 64.
  public static let nvfp4 = GGMLType(40, "NVFP4", 64, 36)
  /// Signs and an FP16 scale for 128 elements.
  public static let q1_0 = GGMLType(41, "Q1_0", 128, 18)
  /// Two bits and an FP16 scale for 64 elements.
  public static let q2_0 = GGMLType(42, "Q2_0", 64, 18)
}
