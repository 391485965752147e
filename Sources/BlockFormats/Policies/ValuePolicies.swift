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

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .blockNaN: "one NaN or Inf makes its whole block NaN"
    case .element: "NaN stays in its element, Inf follows the overflow rule; scales ignore both"
    case .nanToZero: "NaN becomes +0, Inf the largest value; scales ignore both"
    }
  }
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

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .unbounded: "a block scale may underflow to zero"
    case .leastNonzero: "block scales are at least the smallest value above zero"
    case .leastNormal: "block scales are at least the smallest normal value"
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
