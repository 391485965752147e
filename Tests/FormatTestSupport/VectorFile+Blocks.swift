/// MX blocks: `mx/torchao_*`, `mx/exact_*` and `mx/golden_*`.
public struct MXVectors: Decodable, Sendable {
  public enum Rule: String, Decodable, Sendable {
    case floor, ceil, even, rceil
  }

  public struct Block: Decodable, Sendable {
    public let name: String
    /// Set in files that mix elements.
    public let element: String?
    /// Set in files that mix rules.
    public let rule: Rule?
    public let input: Float32Words
    /// The E8M0 byte.
    public let scale: Int
    /// One code per element; nil, or without meaning, when `scale` is 255.
    public let codes: [Int]?
    public let decoded: Float32Words
  }

  /// A block on which the tool departs from the published rule.
  public struct Difference: Decodable, Sendable {
    public let tool: Block
    public let exact: Block
  }

  public let header: VectorHeader
  public let element: String?
  public let rule: Rule?
  public let blockSize: Int
  public let blocks: [Block]
  public let differences: [Difference]?
}

/// NVFP4 with every intermediate of the TransformerEngine arithmetic: `nvfp4/te_steps.json`.
public struct NVFP4StepVectors: Decodable, Sendable {
  public struct Block: Decodable, Sendable {
    public let input: Float32Words
    public let amax: Float32Words
    /// The E4M3 byte.
    public let scale: Int
    /// The factor the inputs are multiplied by, one value.
    public let encode: Float32Words
    public let codes: [Int]
    public let decoded: Float32Words
  }

  public struct Tensor: Decodable, Sendable {
    public let name: String
    public let amax: Float32Words
    public let encodeScale: Float32Words
    public let decodeScale: Float32Words
    public let blocks: [Block]
  }

  public let header: VectorHeader
  public let blockSize: Int
  public let tensors: [Tensor]
}

/// NVFP4 as torchao computes it: `nvfp4/torchao_*`.
public struct NVFP4Vectors: Decodable, Sendable {
  public struct Case: Decodable, Sendable {
    public let name: String
    public let rows: Int
    public let columns: Int
    /// One value; nil in the file without a tensor scale.
    public let perTensorScale: Float32Words?
    public let input: Float32Words
    /// E4M3 bytes, row-major.
    public let scales: [Int]
    public let codes: [Int]
    public let decoded: Float32Words
  }

  public let header: VectorHeader
  public let blockSize: Int
  public let cases: [Case]
}

/// Shared-microexponent and plain block floating point: `bdr/*`.
public struct MicroexponentVectors: Decodable, Sendable {
  public enum Rounding: String, Decodable, Sendable {
    case nearestEven, truncate
  }

  /// One block of `blockSize` elements.
  public struct Case: Decodable, Sendable {
    public let name: String
    public let rounding: Rounding
    public let input: Float32Words
    public let exponentByte: Int
    /// One per sub-block.
    public let subScales: [Int]
    public let signs: [Int]
    public let magnitudes: [Int]
    public let decoded: Float32Words
  }

  public let header: VectorHeader
  public let format: String
  public let mantissaBits: Int
  public let blockSize: Int
  public let subBlockSize: Int
  public let scaleBits: Int
  public let subScaleBits: Int
  public let cases: [Case]
}

/// FP8 with float32 scales per tensor, row or tile: `fp8_scaled/*`.
public struct ScaledFP8Vectors: Decodable, Sendable {
  public struct Case: Decodable, Sendable {
    public let name: String
    public let element: String
    public let rows: Int
    public let columns: Int
    public let tileRows: Int
    public let tileColumns: Int
    public let powerOfTwoScale: Bool
    /// Set instead of `input` when the inputs are replayed, see `inputValues`.
    public let generatorSeed: UInt32?
    public let input: Float32Words?
    public let encodeScales: Float32Words
    public let decodeScales: Float32Words
    public let codes: [Int]
    public let decoded: Float32Words?

    /// The inputs, row-major: stored ones, or those of the documented xorshift32 sequence.
    public var inputValues: [Float] {
      if let input { return input.values }
      var state = generatorSeed ?? 1
      return (0..<rows * columns).map { _ in
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        // 24 significant bits, so the conversion and both scalings are exact.
        let fraction = Float(Int32(bitPattern: state) >> 8) * 0x1p-20
        return fraction * Float(sign: .plus, exponent: -Int((state >> 3) & 7), significand: 1)
      }
    }
  }

  public let header: VectorHeader
  public let cases: [Case]
}
