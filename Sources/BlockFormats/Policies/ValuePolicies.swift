/// What becomes of a value whose rounded magnitude exceeds the largest finite value.
///
/// Judged after rounding: a value that rounds to the largest finite value has not overflowed.
public enum OverflowRule: String, Hashable, Sendable, CaseIterable {
  /// The largest finite value with the value's sign; also for ±∞. Under scales near the end of FP32
  /// it is the largest one whose decoded value is finite: no finite value decodes to infinity.
  case saturate
  /// Infinity if the format has it, else NaN, else saturate. A finite value under a directed
  /// rounding that points back into the range gives the largest finite value, as in IEEE 754.
  case special

  /// The rule's name in options and reports.
  public var id: String { rawValue }
}

/// What becomes of NaN and ±∞ in the input.
public enum NonFiniteRule: String, Hashable, Sendable, CaseIterable {
  /// One NaN or ±∞ makes the scale NaN, and with it every value of the block.
  case blockNaN = "block_nan"
  /// Scales ignore them (amax is taken over finite values); NaN becomes the element's NaN and ±∞
  /// follows the overflow rule. Where the element has no NaN, a NaN makes the block NaN.
  case element
  /// Scales ignore them; NaN becomes +0 and ±∞ the largest finite value.
  case nanToZero = "nan_to_zero"

  /// The rule's name in options and reports.
  public var id: String { rawValue }
}

/// The smallest scale that a block may store.
///
/// Only two-level formats can store a scale of zero; all others ignore the choice. Implementations
/// of NVFP4 differ here, and so in the bytes of tiny and zero blocks.
public enum ScaleFloor: String, Hashable, Sendable, CaseIterable {
  /// Whatever the scale rounds to, zero included (TransformerEngine).
  case unbounded = "none"
  /// The smallest value above zero of the scale format (ModelOpt: 2^-9 for E4M3).
  case leastNonzero = "least_nonzero"
  /// The smallest normal value of the scale format (torchao: 2^-6 for E4M3).
  case leastNormal = "least_normal"

  /// The rule's name in options and reports.
  public var id: String { rawValue }
}

/// The scale that a block of zeros stores.
///
/// FP32 scales of zero blocks are one under either rule.
public enum ZeroBlockRule: String, Hashable, Sendable, CaseIterable {
  /// What the scale rule and the floor give for amax = 0.
  case fromRule = "from_rule"
  /// A scale of one.
  case one

  /// The rule's name in options and reports.
  public var id: String { rawValue }
}
