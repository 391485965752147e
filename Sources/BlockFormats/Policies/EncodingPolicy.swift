/// Every choice an encoder makes, each a closed set of named alternatives.
///
/// Formats state their defaults in `BlockFormat.defaultPolicy`; start from those and change what
/// should differ:
///
/// ```swift
/// let policy = SharedExponentFormat.mxfp4.policy { $0.scaleRule = .powerOfTwo(.rceil) }
/// ```
public struct EncodingPolicy: Hashable, Sendable {
  /// How scaled values are rounded to elements.
  public var rounding: RoundingRule
  /// What becomes of elements beyond the largest finite value.
  public var overflow: OverflowRule
  /// What becomes of NaN and infinities.
  public var nonFinite: NonFiniteRule
  /// How scales follow from values.
  public var scaleRule: ScaleRule
  /// The smallest scale a block may store.
  public var scaleFloor: ScaleFloor
  /// The scale of a block of zeros.
  public var zeroBlock: ZeroBlockRule
  /// The sign of zeros.
  public var zeroSign: ZeroSignRule
  /// In which order scales are divided and multiplied.
  public var scaleArithmetic: ScaleArithmetic

  /// Creates a policy.
  public init(
    rounding: RoundingRule = .toNearestOrEven,
    overflow: OverflowRule = .saturate,
    nonFinite: NonFiniteRule = .blockNaN,
    scaleRule: ScaleRule,
    scaleFloor: ScaleFloor = .unbounded,
    zeroBlock: ZeroBlockRule = .fromRule,
    zeroSign: ZeroSignRule = .kept,
    scaleArithmetic: ScaleArithmetic = .multiply
  ) {
    self.rounding = rounding
    self.overflow = overflow
    self.nonFinite = nonFinite
    self.scaleRule = scaleRule
    self.scaleFloor = scaleFloor
    self.zeroBlock = zeroBlock
    self.zeroSign = zeroSign
    self.scaleArithmetic = scaleArithmetic
  }
}
