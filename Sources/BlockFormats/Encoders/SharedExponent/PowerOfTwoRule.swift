import CallerChecks
import NumericSupport

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
/// | `evenE2M1` | 0 | 0 | 1 |
/// | `nearestLog2` | 0 | 0 | 0 |
/// | `overflowAware` | 0 | 0 | 1 |
/// | `floorPlusOne` | 1 | 1 | 1 |
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
  /// As `even` for one fraction bit, whatever the element has: up from 1.75 · 2^n on
  /// (compressed-tensors, also for E4M3).
  case evenE2M1 = "even_e2m1"
  /// log2(amax / max) rounded to nearest; no FP32 amax lies on a tie (MLX up to 0.32.2).
  case nearestLog2 = "nearest_log2"
  /// The smallest exponent under which amax stays below the value that ties between the largest element
  /// and the next one, were there any: 7 for E2M1, 464 for E4M3. Values below it saturate, so that all
  /// others keep a bit more than under `rceil`.
  ///
  /// For elements whose largest value has a fraction of ones, E2M1 among them, it is `even`; for E4M3 it is
  /// not. Source: overflow-aware scaling, arXiv 2603.08713.
  case overflowAware = "oas"
  /// floor(log2 amax) - emax + 1, twice the scale of `floor`: nothing clips (AWS Trainium).
  case floorPlusOne = "floor_plus_1"

  /// The rule's name in options and reports.
  public var id: String { rawValue }

  /// The exponent in a formula; emax and max are those of the element.
  public var meaning: String {
    switch self {
    case .floor: "2^(floor(log2 amax) - emax); the largest elements may clip"
    case .ceil: "2^(ceil(log2 amax) - emax)"
    case .rceil: "the smallest power of two that clips nothing: 2^ceil(log2(amax / max))"
    case .even: "as floor, after rounding amax half up to the element's fraction bits"
    case .evenE2M1: "as even for one fraction bit, whatever the element has"
    case .nearestLog2: "2^round(log2(amax / max))"
    case .overflowAware: "the smallest power of two under which amax rounds to max or below"
    case .floorPlusOne: "2^(floor(log2 amax) - emax + 1), twice the scale of floor"
    }
  }

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
    case .even, .evenE2M1:
      let fractionBitCount = self == .even ? element.leadingFractionBitCount : 1
      let threshold = 2 - Double.scaled(0.5, byPowerOfTwo: -fractionBitCount)
      return floor + (wide.significand >= threshold ? 1 : 0)
    case .nearestLog2:
      // With amax = a · 2^i and max = b · 2^j: the exponent is i - j and log2(a / b) rounded, which
      // is -1, 0 or 1. Squares of significands of 24 bits are exact.
      let (a, b) = (wide.significand, element.greatestFiniteMagnitude.significand)
      if a * a >= 2 * b * b { return floor + 1 }
      return 2 * a * a >= b * b ? floor : floor - 1
    case .overflowAware:
      let tie = element.overflowTie
      return Int(wide.exponent) - Int(tie.exponent) + (wide.significand >= tie.significand ? 1 : 0)
    case .floorPlusOne: return floor + 1
    }
  }
}

extension ElementFormat {
  /// The value half way between the largest one and the one that would follow it.
  fileprivate var overflowTie: Double {
    let largest = greatestFiniteMagnitude
    switch encoding {
    case .table: return (largest + neighbour(of: greatestFiniteCode, isAbove: true)) / 2
    case .floatingPoint, .twosComplement:
      let spacing = greatestExponent - leadingFractionBitCount
      return largest + Double.scaled(0.5, byPowerOfTwo: spacing)
    }
  }
}
