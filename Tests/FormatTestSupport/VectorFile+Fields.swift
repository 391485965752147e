/// One tensor in a format that stores several fields: values, what each field holds, a producer's bytes.
///
/// The schema of `nf4`, `affine`, `ggml` and `hif4` below `Tests/Vectors`; see the README there.
public struct FieldVectors: Decodable, Sendable {
  public let header: VectorHeader
  /// The identifier of the format without its parameters, for example `q4_k`.
  public let format: String
  public let block: Block
  /// The stored fields in the order of the definition.
  public let layout: [Field]
  /// Values by code, where the element is a table of values.
  public let table: Float32Words?
  /// What separates neighbouring codes; a value on a bound takes the lower code.
  public let bounds: Float32Words?
  /// Finite in and finite out: what an encoder of this format has to give.
  public let cases: [Case]
  /// Stored fields without an input: what a decoder has to give.
  public let decodeOnly: [Case]?
  /// NaN, infinities and scales beyond their number format, where another rule may be chosen.
  public let outside: [Case]?

  public struct Block: Decodable, Sendable {
    /// `row` for consecutive elements of a row, `run` for consecutive elements of the flattened tensor.
    public let shape: String
    /// Elements of a block.
    public let length: Int
    /// Bytes of a block where the producer stores blocks one after another.
    public let bytes: Int?
  }

  public struct Field: Decodable, Sendable {
    public let name: String
    public let bits: Int
    public let kind: String
    /// Elements that share one number of the field; 0 where the whole block does.
    public let extent: Int
  }

  public struct Case: Decodable, Sendable {
    public let name: String
    public let rows: Int
    public let columns: Int
    public let input: Float32Words?
    /// Bit patterns by field name, in the order of the elements that they belong to.
    public let fields: [String: HexadecimalWords]
    /// Bytes of the producer's tensors by name.
    public let packed: [String: HexadecimalBytes]
    public let decoded: Float32Words
  }
}

/// Bit patterns stored as hexadecimal numbers separated by spaces.
public struct HexadecimalWords: Decodable, Sendable, Equatable {
  public let patterns: [UInt32]

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    patterns = try container.decode(String.self).split(separator: " ").map { word in
      guard let pattern = UInt32(word, radix: 16) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "'\(word)' is not a hexadecimal word of 32 bits")
      }
      return pattern
    }
  }
}

/// Bytes stored as pairs of hexadecimal digits without spaces.
public struct HexadecimalBytes: Decodable, Sendable, Equatable {
  public let bytes: [UInt8]

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let digits = Array(try container.decode(String.self).utf8)
    guard digits.count % 2 == 0 else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(digits.count) digits are no whole number of bytes")
    }
    bytes = try stride(from: 0, to: digits.count, by: 2).map { start in
      let pair = String(decoding: digits[start..<start + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "'\(pair)' is not a byte")
      }
      return byte
    }
  }
}
