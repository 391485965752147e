import CallerChecks
import NumericSupport

/// How a block's scale follows from its values.
public enum ScaleRule: Hashable, Sendable {
  /// There is no scale.
  case unscaled
  /// A power of two chosen from the block's largest magnitude.
  case powerOfTwo(PowerOfTwoRule)
  /// A power of two chosen by squared error among the rule's exponent and its two neighbours.
  ///
  /// The candidates are tried in the order rule, one below, one above; a later one must be
  /// strictly better to win. The sums of `BlockFormat.squaredError` are rounded in the order of the
  /// elements, so that a permuted block may get another of two scales that are equally good.
  case search(around: PowerOfTwoRule)
  /// The largest magnitude maps to the element's largest value.
  case amax
  /// As `amax`, with the encoding scale rounded down to a power of two (the decoding scale up).
  case amaxPowerOfTwo
  /// Per block, map the largest magnitude to 6 or to 4, whichever gives the smaller squared
  /// error; ties go to 6. Source: arXiv 2512.02010.
  case fourOverSix

  /// The rule's name in options and reports.
  public var id: String {
    switch self {
    case .unscaled: "none"
    case .powerOfTwo(let rule): rule.id
    case .search(.floor): "search"
    case .search(let rule): "search(\(rule.id))"
    case .amax: "amax"
    case .amaxPowerOfTwo: "amax_pow2"
    case .fourOverSix: "four_over_six"
    }
  }

  /// Whether a block is encoded several times to choose its scale.
  var triesCandidates: Bool {
    switch self {
    case .search, .fourOverSix: true
    case .unscaled, .powerOfTwo, .amax, .amaxPowerOfTwo: false
    }
  }

  /// Every rule.
  public static let all: [ScaleRule] =
    powersOfTwo + [.amax, .amaxPowerOfTwo, .fourOverSix, .unscaled]

  /// Every rule for a power-of-two scale.
  public static let powersOfTwo: [ScaleRule] =
    PowerOfTwoRule.allCases.map(ScaleRule.powerOfTwo)
    + PowerOfTwoRule.allCases.map(ScaleRule.search(around:))
}

/// How the exponent of a power-of-two scale follows from amax, a block's largest magnitude.
///
/// With emax = floor(log2(largest element value)). The exponents for amax = 5, 6.5 and 7.9 and
/// E2M1 (largest 6, emax 2):
///
/// | rule | 5 | 6.5 | 7.9 |
/// |---|---|---|---|
/// | `floor` | 0 | 0 | 0 |
/// | `ceil` | 1 | 1 | 1 |
/// | `rceil` | 0 | 1 | 1 |
/// | `even` | 0 | 0 | 1 |
/// | `nearestLog2` | 0 | 0 | 0 |
public enum PowerOfTwoRule: String, Hashable, Sendable, CaseIterable {
  /// floor(log2 amax) - emax. OCP MX v1.0 section 6.3; clips by design.
  case floor
  /// ceil(log2 amax) - emax.
  case ceil
  /// The smallest exponent that does not clip: ceil(log2 s) with s = fl(amax · fl(1 / max)), both
  /// FP32 operations (cuBLAS, TransformerEngine, torchao).
  case rceil
  /// `floor` after rounding amax half up to the element's fraction width (torchao, Quark).
  case even
  /// log2(amax / max) rounded to nearest; no FP32 amax lies on a tie (MLX up to 0.32.2).
  case nearestLog2 = "nearest_log2"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The exponent for a block, before any clamp.
  ///
  /// Every comparison is exact: exponents come from bits, never from a floating-point logarithm.
  ///
  /// - Precondition: `amax` is finite and above zero.
  public func exponent(amax: Float, element: ElementFormat) -> Int {
    require(amax > 0 && amax.isFinite, "amax \(amax) is not a finite positive number")
    let wide = Double(amax)
    let floor = Int(wide.exponent) - element.greatestExponent
    switch self {
    case .floor: return floor
    case .ceil: return floor + (wide.significand > 1 ? 1 : 0)
    case .rceil:
      let scale = amax * (1 / Float(element.greatestFiniteMagnitude))
      // Products that underflow or overflow ask for the exponents at the ends of FP32.
      guard scale > 0 else { return Int(Float.leastNonzeroMagnitude.exponent) }
      guard scale.isFinite else { return Int(Float.greatestFiniteMagnitude.exponent) + 1 }
      return Int(scale.exponent) + (scale.significand > 1 ? 1 : 0)
    case .even:
      let threshold = 2 - Double.scaled(0.5, byPowerOfTwo: -element.leadingFractionBitCount)
      return floor + (wide.significand >= threshold ? 1 : 0)
    case .nearestLog2:
      // With amax = a · 2^i and max = b · 2^j: the exponent is i - j and log2(a / b) rounded, which
      // is -1, 0 or 1. Squares of significands of 24 bits are exact.
      let (a, b) = (wide.significand, element.greatestFiniteMagnitude.significand)
      if a * a >= 2 * b * b { return floor + 1 }
      return 2 * a * a >= b * b ? floor : floor - 1
    }
  }
}
