/// The values of all, or of selected, codes of an element format: `elements/decode`.
public struct DecodeVectors: Decodable, Sendable {
  public let header: VectorHeader
  public let format: String
  public let bits: Int
  public let codes: [Int]
  /// The value of `codes[i]`.
  public let values: Float32Words
}

/// Round-to-nearest encodings of an element format: `elements/encode`.
public struct EncodeVectors: Decodable, Sendable {
  /// An input on which the tool does not return the nearest value.
  public struct Difference: Decodable, Sendable {
    public let input: Float32Words
    /// The code the tool returned.
    public let tool: Int
    /// The code of the nearest value.
    public let exact: Int
  }

  public let header: VectorHeader
  public let format: String
  /// What the tool does beyond the largest finite value, in words.
  public let overflow: String
  public let inputs: Float32Words
  /// The code of `inputs[i]`.
  public let codes: [Int]
  public let differences: [Difference]?
}

/// Encodings in several rounding modes: `elements/rounding` and `p3109/encode_*`.
public struct RoundingVectors: Decodable, Sendable {
  /// gfloat's names of the rounding modes.
  public enum Mode: String, Decodable, Sendable {
    case towardZero = "TowardZero"
    case towardPositive = "TowardPositive"
    case towardNegative = "TowardNegative"
    case tiesToEven = "TiesToEven"
    case tiesToAway = "TiesToAway"
    /// Variant C of P3109.
    case stochastic = "Stochastic"
    /// Variant B of P3109.
    case stochasticFast = "StochasticFast"
    /// Variant A of P3109.
    case stochasticFastest = "StochasticFastest"
  }

  /// The results of one mode for all inputs.
  public struct Case: Decodable, Sendable {
    public let mode: Mode
    public let saturating: Bool
    /// Width of each entry of `randomBits`; nil in the deterministic modes.
    public let randomBitCount: Int?
    public let randomBits: [Int]?
    public let values: Float32Words
    public let codes: [Int]
  }

  public let header: VectorHeader
  public let format: String
  public let inputs: Float32Words
  public let cases: [Case]
}

/// The values of every P3109 format of one width: `p3109/values_k*`.
public struct P3109ValueVectors: Decodable, Sendable {
  public struct Format: Decodable, Sendable {
    public let name: String
    public let bits: Int
    public let precision: Int
    public let signed: Bool
    /// True when the format has infinities.
    public let extended: Bool
    public let bias: Int
    /// The value of each code, in code order.
    public let values: Float32Words
  }

  public let header: VectorHeader
  public let formats: [Format]
}

/// Known answers of the Philox4x32-10 generator: `philox/kat.json`.
public struct PhiloxVectors: Decodable, Sendable {
  /// Word 0 comes first; the words are integers, not floats.
  public struct Case: Decodable, Sendable {
    public let name: String
    public let counter: Float32Words
    public let key: Float32Words
    public let output: Float32Words
  }

  public let header: VectorHeader
  public let cases: [Case]
}

/// The random words of stochastic rounding for runs of elements: `philox/rounding_words.json`.
public struct RoundingWordVectors: Decodable, Sendable {
  /// The words of the elements with row-major indices `firstIndex`, `firstIndex + 1`, ...
  public struct Case: Decodable, Sendable {
    public let name: String
    public let stream: UInt32
    public let words: Float32Words
    private let seed: Float32Words
    private let first: Float32Words

    public var seedValue: UInt64 { Self.joined(seed) }
    public var firstIndex: UInt64 { Self.joined(first) }

    private static func joined(_ halves: Float32Words) -> UInt64 {
      UInt64(halves.bitPatterns[1]) << 32 | UInt64(halves.bitPatterns[0])
    }
  }

  public let header: VectorHeader
  public let cases: [Case]
}
