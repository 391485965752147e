/// What becomes of a value whose rounded magnitude exceeds the largest finite value.
///
/// Judged after rounding: a value that rounds to the largest finite value has not overflowed.
public enum OverflowRule: String, PolicyChoice, CaseIterable {
  /// The largest finite value with the value's sign; also for ±∞. Under scales near the end of FP32
  /// it is the largest one whose decoded value is finite: no finite value decodes to infinity.
  case saturate
  /// Infinity if the format has it, else NaN, else saturate. A finite value under a directed
  /// rounding that points back into the range gives the largest finite value, as in IEEE 754.
  case special

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .saturate:
      "beyond the largest value: the largest that decodes finite; judged after rounding"
    case .special: "beyond the largest value: Inf if the element has it, else NaN, else the largest"
    }
  }
}

/// What becomes of NaN and ±∞ in the input.
public enum NonFiniteRule: String, PolicyChoice, CaseIterable {
  /// One NaN or ±∞ makes the scale NaN, and with it every value of the block.
  case blockNaN = "block_nan"
  /// Scales ignore them (amax is taken over finite values); NaN becomes the element's NaN and ±∞
  /// follows the overflow rule. Where the element has no NaN, a NaN makes the block NaN.
  case element
  /// Scales ignore them; NaN becomes +0 and ±∞ the largest finite value.
  case nanToZero = "nan_to_zero"
  /// Scales ignore them; NaN becomes the largest value, as +∞ does, and -∞ the least. The casts of
  /// NVIDIA's and AMD's headers to elements without NaN, and ONNX's.
  case nanToMax = "nan_to_max"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .blockNaN: "one NaN or Inf makes its whole block NaN"
    case .element: "NaN stays in its element, Inf follows the overflow rule; scales ignore both"
    case .nanToZero: "NaN becomes +0, Inf the largest value; scales ignore both"
    case .nanToMax: "NaN and Inf become the largest value; scales ignore both"
    }
  }
}

extension NonFiniteRule {
  /// Whether ±∞ becomes the largest value whatever the overflow rule.
  var replacesInfinity: Bool { self == .nanToZero || self == .nanToMax }

  /// What stands in the place of a NaN that did not make its block NaN.
  var replacementOfNaN: Float { self == .nanToMax ? .infinity : 0 }
}

/// The smallest scale that a block may store.
///
/// Only two-level formats follow the choice (`BlockFormat.follows`). Implementations of NVFP4 differ
/// here, and so in the bytes of tiny and zero blocks.
public enum ScaleFloor: String, PolicyChoice, CaseIterable {
  /// Whatever the scale rounds to, zero included (TransformerEngine).
  case unbounded = "none"
  /// The smallest value above zero of the scale format (ModelOpt: 2^-9 for E4M3).
  case leastNonzero = "least_nonzero"
  /// The smallest normal value of the scale format (torchao: 2^-6 for E4M3).
  case leastNormal = "least_normal"
  /// Whatever the scale rounds to, and 2^-3 in the place of zero: E4M3's spacing at one
  /// (compressed-tensors). The smallest value above zero where the scale format rounds 1/8 to zero.
  case eighthForZero = "eighth_for_zero"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .unbounded: "a block scale may underflow to zero"
    case .leastNonzero: "block scales are at least the smallest value above zero"
    case .leastNormal: "block scales are at least the smallest normal value"
    case .eighthForZero:
      "a block scale that underflows to zero becomes 1/8, or the least above zero"
    }
  }
}

/// The scale that a block of zeros stores.
///
/// Shared exponents and two-level formats follow the choice; others have one form of such a block.
public enum ZeroBlockRule: String, PolicyChoice, CaseIterable {
  /// What the scale rule and the floor give for amax = 0.
  case fromRule = "from_rule"
  /// A scale of one.
  case one

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .fromRule: "a block of zeros stores what the scale rule gives for amax = 0"
    case .one: "a block of zeros stores a scale of one"
    }
  }
}

/// The sign of zeros, in elements that have two.
///
/// Decoders treat both alike; the bytes of producers differ.
public enum ZeroSignRule: String, PolicyChoice, CaseIterable {
  /// That of the value that was rounded (OCP, TransformerEngine, torchao).
  case kept
  /// Never negative (MLX's CPU code, ggml, Quark).
  case positive
  /// Positive for a value that is zero itself; kept for negative values that round to zero
  /// (compressed-tensors and ModelOpt in NVFP4).
  case keptUnlessZero = "kept_unless_zero"
  /// Negative for a value that is zero itself, of either sign; else kept (ModelOpt in MXFP4).
  case negativeForZero = "negative_for_zero"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .kept: "a zero has the sign of the value that it stands for"
    case .positive: "no element is minus zero"
    case .keptUnlessZero: "0 and -0 become +0, negative values that round to zero -0"
    case .negativeForZero: "0 and -0 become -0, other values that round to zero keep their sign"
    }
  }
}

/// In which order scales are divided and multiplied, where every step rounds.
///
/// With E the element's largest value, A the tensor's and a the block's largest magnitude, T the largest
/// block scale. Formats whose scales are powers of two have nothing to round. Where there is no tensor
/// scale, S and g are one.
public enum ScaleArithmetic: String, PolicyChoice, CaseIterable {
  /// S = fl(E·T / A), stored as fl(1 / S); s of fl(a · fl(S · fl(1 / E))); code of x · fl(1 / fl(s · fl(1 /
  /// S))). Without block scales under one of the tensor: S = fl(E / a), stored as fl(1 / S), code of
  /// fl(x · S). TransformerEngine.
  case multiply
  /// g = fl(A / (E·T)), stored; s of fl(a / fl(E · g)); code of fl(x / fl(s · g)). Without a tensor scale: s =
  /// fl(a / E), code of fl(x / s). ModelOpt; FP8 of compressed-tensors and DeepSeek.
  case divide
  /// g = fl(A / (E·T)), stored; s of fl(fl(a / E) / g); code of fl(x · fl(fl(1 / g) / s)). torchao.
  case reciprocal
  /// S = fl(E·T · fl(1 / A)), stored as fl(1 / S); s of fl(fl(a / E) · S); code of fl(x / fl(s / S)).
  /// compressed-tensors' NVFP4.
  case quotient

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .multiply: "an encode multiplier E / amax, of which the reciprocal is stored"
    case .divide: "the scale amax / E is stored, and values are divided by it"
    case .reciprocal: "the scale amax / E is stored, and values are multiplied by its reciprocal"
    case .quotient:
      "as divide, by the block's scale over the encode multiplier of the tensor"
    }
  }
}
