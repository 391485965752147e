public import BlockFormats
import CallerChecks

/// How one operand of a product is narrowed.
public enum QuantizationChoice: Hashable, Sendable {
  /// Kept in FP32 as it is.
  case float32
  /// Rounded to BF16, to nearest with ties to even.
  case bfloat16
  /// Encoded in a block format along the product's contraction axis.
  case block(BlockQuantization)

  /// The rotation of the operand before it is narrowed.
  public var transform: OperandTransform? {
    if case .block(let quantization) = self { quantization.transform } else { nil }
  }

  /// The factor on the operand before it is narrowed; the product is divided by it.
  public var premultiplier: Float {
    if case .block(let quantization) = self { quantization.premultiplier } else { 1 }
  }
}

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

  /// Creates a quantization.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - policy: the encoder's choices; the format's defaults if `nil`.
  ///   - stochasticBitCount: the random bits of stochastic rounding, instead of the policy's
  ///     rounding.
  ///   - transform: a rotation along the contraction axis.
  ///   - source: the precision of the values that are encoded.
  ///   - premultiplier: a factor on the values.
  ///   - scaling: where the scale of a whole-tensor format comes from.
  /// - Precondition: `problem` finds none in the same arguments.
  public init(
    _ format: any BlockFormat, policy: EncodingPolicy? = nil, stochasticBitCount: Int? = nil,
    transform: OperandTransform? = nil, source: SourcePrecision = .float32,
    premultiplier: Float = 1, scaling: TensorScaling = .current
  ) {
    var policy = policy ?? format.defaultPolicy
    let problem = BlockQuantization.problem(
      format, policy, stochasticBitCount, premultiplier, scaling)
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

  /// What makes a quantization impossible, by its key in JSON; `nil` if nothing does.
  static func problem(
    _ format: any BlockFormat, _ policy: EncodingPolicy, _ stochasticBitCount: Int?,
    _ premultiplier: Float, _ scaling: TensorScaling
  ) -> (key: QuantizerKey, reason: String)? {
    guard format.scaleRules.contains(policy.scaleRule) else {
      let known = format.scaleRules.map(\.id).joined(separator: ", ")
      return (.scaleRule, "\(format.id) has no rule \(policy.scaleRule.id); it has \(known)")
    }
    if case .stochastic = policy.rounding {
      return (.rounding, "a recipe holds no seed: give the number of random bits instead")
    }
    if let bits = stochasticBitCount, !QuantizerKey.randomBitCounts.contains(bits) {
      return (.randomBits, "\(bits) random bits are outside 1...32")
    }
    guard premultiplier >= 0.5 && premultiplier <= 2 else {
      return (.premultiplier, "\(premultiplier) is outside 0.5...2")
    }
    if case .delayed = scaling, !format.layout.hasOneFloat32Scale {
      return (
        .delayedScaling, "\(format.id) does not have one FP32 scale for the whole tensor"
      )
    }
    return nil
  }

  /// The policy with its random bits, if any, from one source.
  ///
  /// - Parameters:
  ///   - streams: the streams of the run.
  ///   - key: the use of the tensor.
  public func policy(drawingFrom streams: RandomStreams, for key: StreamKey) -> EncodingPolicy {
    guard let stochasticBitCount else { return policy }
    var policy = policy
    policy.rounding = .stochastic(streams.source(for: key, randomBitCount: stochasticBitCount))
    return policy
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
public enum SourcePrecision: String, Hashable, Sendable, CaseIterable {
  /// Encoded from FP32: one rounding.
  case float32 = "fp32"
  /// Rounded to BF16 first, as where activations are stored in BF16: two roundings.
  case bfloat16 = "bf16"
}

/// Where the scale of a whole-tensor format comes from.
public enum TensorScaling: Hashable, Sendable {
  /// From the tensor itself.
  case current
  /// From the tensors of earlier steps.
  case delayed(DelayedScaling.Parameters)
}

/// A Hadamard rotation of an operand along the contraction axis.
///
/// With the same rotation on both operands the exact product is unchanged.
public struct OperandTransform: Hashable, Sendable {
  /// The block length, a power of two in 2...128.
  public let length: Int
  /// Where the signs come from.
  public let signs: Signs

  /// Where the signs in front of a Hadamard matrix come from.
  public enum Signs: String, Hashable, Sendable, CaseIterable {
    /// All +1: a plain Hadamard matrix.
    case positive
    /// One random vector from the run's seed for all layers and steps.
    case perRun = "per_run"
    /// A new random vector for each step, the same for all layers.
    case perStep = "per_step"
  }

  /// Creates a transform.
  ///
  /// - Precondition: `length` is a power of two in 2...128.
  public init(length: Int, signs: Signs) {
    require(
      HadamardTransform.lengths.contains(length),
      "a Hadamard matrix of \(length) is not among \(HadamardTransform.lengths)")
    self.length = length
    self.signs = signs
  }

  /// The transform in one step of a run.
  public func hadamard(_ streams: RandomStreams, step: Int) -> HadamardTransform {
    switch signs {
    case .positive: HadamardTransform(length: length)
    case .perRun: HadamardTransform(signs: streams.signs(count: length))
    case .perStep: HadamardTransform(signs: streams.signs(count: length, step: step))
    }
  }
}
