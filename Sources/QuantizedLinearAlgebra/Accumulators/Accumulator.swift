/// How the products of a matrix product are summed: a model of the hardware or none.
///
/// A model sees the operands as `ProductDefinition` factors them: elements a, b with their
/// sub-scales, cut into groups, and the scales sₐ, s_b of each group. Where one operand does not
/// factor, or is FP32, the elements are decoded FP32 numbers without scales. In every model tensor
/// scales, α, bias and β follow the finished sum, as `ProductEpilogue` says.
///
/// Only `float32` is what kernels compute; the others are options of the reference.
public enum Accumulator: Hashable, Sendable {
  /// The order of `ProductDefinition`, with its FP32 roundings to nearest, ties to even.
  case float32
  /// Y = Σ a · b · sₐ · s_b, the real number, rounded once to FP32, to nearest, ties to even.
  ///
  /// Tensor scales, where there are some, round twice more: their product, and the result.
  ///
  /// Subnormal results are kept, whatever the unit of the product, and those beyond the largest FP32
  /// number are infinite. A sum of exactly zero is +0. With operands that are not finite the sum is
  /// what IEEE 754 makes of it in any order: NaN for a NaN, ∞ · 0 or ∞ - ∞, and else ±∞.
  case exact
  /// As `float32`, but the running Y is rounded to BF16 after the fused step of every group, to
  /// nearest, ties to even.
  ///
  /// The dot product D of a group keeps the arithmetic of its unit. With the `float32` unit every
  /// product is a group of its own. Each step rounds twice: the fused step to FP32, then to BF16.
  case bfloat16
  /// The dot product pipeline of the BDR paper, which aligns block results to the largest one.
  case alignedFixedPoint(AlignedFixedPointModel)
  /// A tensor core that aligns products to the largest one: `TensorCoreModel`.
  case tensorCore(TensorCoreModel)

  /// The dot product pipeline of the BDR paper.
  ///
  /// - Parameters:
  ///   - fractionBits: the bits f of the fixed-point accumulation.
  ///   - length: the elements of an accumulation.
  /// - Precondition: as for `AlignedFixedPointModel.init(fractionBits:length:)`.
  public static func alignedFixedPoint(fractionBits: Int, length: Int = 64) -> Accumulator {
    .alignedFixedPoint(AlignedFixedPointModel(fractionBits: fractionBits, length: length))
  }

  /// Every model with default parameters, in the order of listings.
  public static let standard: [Accumulator] = [
    .float32, .exact, .bfloat16, .alignedFixedPoint(AlignedFixedPointModel()),
    .tensorCore(.hopperFP8Like),
  ]

  /// The id, which `init(id:)` parses back: `fp32`, `exact`, `bf16`, `bdr(f=25)`,
  /// `bdr(f=25,length=128)` or `tensor_core(group=32,f=13,rounding=truncate,promote=128)`.
  public var id: String {
    switch self {
    case .float32: "fp32"
    case .exact: "exact"
    case .bfloat16: "bf16"
    case .alignedFixedPoint(let model): model.id
    case .tensorCore(let model): model.id
    }
  }

  /// The model that an id names, or `nil`.
  ///
  /// Parameters outside the documented ranges name none. `hopper_fp8_like` is an alias of
  /// `TensorCoreModel.hopperFP8Like`, and `bdr` of `bdr(f=25)`.
  public init?(id: String) {
    switch id {
    case "fp32": self = .float32
    case "exact": self = .exact
    case "bf16": self = .bfloat16
    default:
      if let model = TensorCoreModel(id: id) {
        self = .tensorCore(model)
      } else if let model = AlignedFixedPointModel(id: id) {
        self = .alignedFixedPoint(model)
      } else {
        return nil
      }
    }
  }

  /// One line with all choices.
  public var summary: String {
    switch self {
    case .float32:
      "FP32, one fused multiply-add a group in order, to nearest, ties to even"
    case .exact:
      """
      the exact sum of all products before tensor scales, rounded once to FP32, to nearest, \
      ties to even
      """
    case .bfloat16:
      """
      group dot products as fp32; the running sum rounded to FP32, then to BF16 after every group, \
      both to nearest, ties to even
      """
    case .alignedFixedPoint(let model): model.summary
    case .tensorCore(let model): model.summary
    }
  }
}

extension Float {
  /// The nearest BF16 number, ties to even; NaN becomes the canonical one.
  var roundedToBFloat16: Float {
    guard !isNaN else { return .nan }
    let isOdd = (bitPattern >> 16) & 1
    // No carry leaves the word: the largest pattern is infinity's, which stays.
    return Float(bitPattern: (bitPattern + 0x7FFF + isOdd) & 0xFFFF_0000)
  }
}

extension Double {
  /// floor(log2 |x|) of a normal number, from its bits.
  var binaryExponent: Int { Int(bitPattern >> 52 & 0x7FF) - 1023 }
}
