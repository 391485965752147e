public import BlockFormats
import CallerChecks

/// A block format with everything else that decides its codes.
///
/// An operand goes through, in this order: rounding to BF16 (if `source` is `bfloat16`), the
/// transform along the contraction axis, rounding to BF16 again (likewise), multiplication by
/// `premultiplier` in FP32, and the format's encoder under the policy.
public struct BlockQuantization: Sendable {
  /// The block format; formats with 2-D tiles give a matrix and its transpose the same values.
  public let format: any BlockFormat
  /// The encoder's choices; `rounding` is to nearest even where rounding is stochastic.
  public let policy: EncodingPolicy
  /// The random bits of stochastic rounding; `nil` for the policy's own rounding.
  public let stochasticBitCount: Int?
  /// A rotation along the contraction axis, the same for both operands of a product.
  public let transform: OperandTransform?
  /// The precision of the values that are encoded.
  public let source: SourcePrecision
  /// A factor on the values before their scale is chosen, by which the product is divided.
  ///
  /// It moves the grid of power-of-two scales to multiples of its inverse; 1 for none.
  public let premultiplier: Float
  /// Where the scale of a whole-tensor format comes from.
  public let scaling: TensorScaling

  /// The numbers of random bits that stochastic rounding can take.
  public static let randomBitCounts = 1...32
  /// The factors there are: one of 2 moves power-of-two scales by a whole step, so others bring
  /// nothing new.
  public static let premultipliers: ClosedRange<Float> = 0.5...2

  /// Creates a quantization.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - policy: the encoder's choices; the format's defaults if `nil`.
  ///   - stochasticBitCount: the random bits of stochastic rounding, instead of the policy's
  ///     rounding; one of `randomBitCounts`.
  ///   - transform: a rotation along the contraction axis.
  ///   - source: the precision of the values that are encoded.
  ///   - premultiplier: a factor on the values, one of `premultipliers`.
  ///   - scaling: where the scale of a whole-tensor format comes from.
  /// - Precondition: the format has the policy's scale rule; the policy's rounding holds no seed; the
  ///   numbers are in their ranges; only a format of one FP32 scale for the whole tensor has a delayed
  ///   scale.
  public init(
    _ format: any BlockFormat, policy: EncodingPolicy? = nil, stochasticBitCount: Int? = nil,
    transform: OperandTransform? = nil, source: SourcePrecision = .float32,
    premultiplier: Float = 1, scaling: TensorScaling = .current
  ) {
    var policy = policy ?? format.defaultPolicy
    let problem = Problem(format, policy, stochasticBitCount, premultiplier, scaling)
    require(problem == nil, problem?.reason ?? "")
    if stochasticBitCount != nil { policy.rounding = .toNearestOrEven }
    self.format = format
    self.policy = policy
    self.stochasticBitCount = stochasticBitCount
    self.transform = transform
    self.source = source
    self.premultiplier = premultiplier
    self.scaling = scaling
  }
}

extension BlockQuantization {
  /// What makes a quantization impossible.
  struct Problem {
    /// The choice that does not fit.
    enum Aspect {
      case scaleRule
      case rounding
      /// A choice that the format does not follow.
      case unfollowed(PolicyAspect)
      case randomBitCount
      case premultiplier
      case scaling
    }

    let aspect: Aspect
    let reason: String

    /// The first choice that differs from the format's own though the format does not follow it.
    private static func unfollowed(
      _ format: any BlockFormat, _ policy: EncodingPolicy, _ stochasticBitCount: Int?
    ) -> PolicyAspect? {
      PolicyAspect.allCases.first { aspect in
        !format.follows(aspect)
          && (aspect.chosen(in: policy) != aspect.chosen(in: format.defaultPolicy)
            || aspect == .rounding && stochasticBitCount != nil)
      }
    }

    private init(_ aspect: Aspect, _ reason: String) {
      self.aspect = aspect
      self.reason = reason
    }

    /// What is wrong with the arguments of a quantization; `nil` if nothing is.
    init?(
      _ format: any BlockFormat, _ policy: EncodingPolicy, _ stochasticBitCount: Int?,
      _ premultiplier: Float, _ scaling: TensorScaling
    ) {
      if !format.scaleRules.contains(policy.scaleRule) {
        let known = format.scaleRules.map(\.id).joined(separator: ", ")
        self.init(
          .scaleRule, "\(format.id) has no rule \(policy.scaleRule.id); it has \(known)")
      } else if let aspect = Self.unfollowed(format, policy, stochasticBitCount) {
        self.init(
          .unfollowed(aspect), "\(aspect.purpose) is a part of \(format.id), and no choice")
      } else if case .stochastic = policy.rounding {
        self.init(
          .rounding, "a recipe holds no seed: give the number of random bits instead")
      } else if let bits = stochasticBitCount, !randomBitCounts.contains(bits) {
        self.init(.randomBitCount, "\(bits) random bits are outside 1...32")
      } else if !premultipliers.contains(premultiplier) {
        self.init(.premultiplier, "\(premultiplier) is outside 0.5...2")
      } else if case .delayed = scaling,
        !format.layout.hasOneFloat32Scale
      {
        self.init(
          .scaling, "\(format.id) does not have one FP32 scale for the whole tensor")
      } else {
        return nil
      }
    }
  }
}

extension BlockQuantization: Hashable {
  /// Formats are equal if their ids and layouts are.
  public static func == (a: BlockQuantization, b: BlockQuantization) -> Bool {
    a.format.isSame(as: b.format) && a.policy == b.policy
      && a.stochasticBitCount == b.stochasticBitCount && a.transform == b.transform
      && a.source == b.source && a.premultiplier == b.premultiplier && a.scaling == b.scaling
  }

  /// Hashes what decides codes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(format.id)
    hasher.combine(policy)
    hasher.combine(stochasticBitCount)
    hasher.combine(transform)
    hasher.combine(premultiplier)
  }
}

/// The precision of values before a block format encodes them.
public enum SourcePrecision: String, NamedChoice {
  /// Encoded from FP32: one rounding.
  case float32 = "fp32"
  /// Rounded to BF16 first, as where activations are stored in BF16: two roundings.
  case bfloat16 = "bf16"
}
