import CallerChecks

/// Elements with an FP32 scale for each block, row or tensor: FP8 recipes and symmetric integers.
///
/// Every step is one FP32 operation, with E the element's largest value:
///
/// 1. S = min(fl(E / amax), FLT_MAX); 1 when amax = 0. With `amaxPowerOfTwo` the significand of S
///    is cleared, which rounds the encode scale down and the decode scale up, but not below 2^-127.
/// 2. code = element of fl(x · S), by the policy's rounding. Stored: min(fl(1 / S), FLT_MAX).
///
/// An element thus rounds a number that has been rounded before: in S, and in its product with x.
/// With `amaxPowerOfTwo` that product is exact unless it falls below 2^-126. With `amaxHalfStep`, for
/// elements with one spacing d, E + d/2 stands in the place of E.
///
/// Under `ScaleArithmetic.divide` s = fl(amax / E), at least 2^-128 and at most FLT_MAX, and 1 when amax = 0, is stored
/// (`amaxPowerOfTwo` rounds it up to a power of two) and the code is that of fl(x / s); under `reciprocal`
/// that of fl(x · fl(1 / s)). `quotient` is `divide` here.
///
/// A value decodes to fl(q · stored), and `CodeLimit` keeps that finite. amax is over finite values. A
/// NaN block stores a NaN scale and the element's NaN code (0 if it has none).
///
/// Source: TransformerEngine's current-scaling and block-scaling recipes.
public struct ScaledFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  /// FP32 scales, or powers of two; half a step beyond the largest value where elements have one spacing.
  public var scaleRules: [ScaleRule] {
    [.amax, .amaxPowerOfTwo] + (element.spacing == nil ? [] : [.amaxHalfStep])
  }

  /// Every step rounds.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .rounding, .overflow, .nonFinite, .scaleArithmetic: true
    case .zeroSign: element.hasNegativeZero
    case .scaleFloor, .zeroBlock: false
    }
  }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format.
  ///   - block: the elements that share a scale.
  public init(id: String, source: String, element: ElementFormat, block: BlockShape) {
    self.id = id
    self.source = source
    layout = BlockLayout(block: block, fields: [.codes(element), .blockScale(.fp32)])
    defaultPolicy = EncodingPolicy(
      nonFinite: element.nanCode == nil ? .blockNaN : .element, scaleRule: .amax)
  }

  /// Chooses the block's scale by the policy's rule.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = Float.nan.bitPattern
      fields.encodeMultiplier = .nan
      return
    }
    let scale = scale(amax: statistics.amax, context.policy)
    fields.encodeMultiplier = scale.encode
    fields[Field.scale, 0] = scale.decode.bitPattern
  }

  /// What the largest magnitude maps to.
  func target(of rule: ScaleRule) -> Float {
    switch rule.as(AmaxRule.self) {
    case .amax, .amaxPowerOfTwo: return Float(element.greatestFiniteMagnitude)
    case .amaxHalfStep:
      guard let spacing = element.spacing else { break }
      return Float(element.greatestFiniteMagnitude + spacing / 2)
    case .fourOverSix, .fourOverSixAbsolute, nil: break
    }
    refuse("\(id) has no scale rule \(rule.id)")
  }

  /// Both multipliers of a block.
  private func scale(amax: Float, _ policy: EncodingPolicy) -> TensorScale {
    let target = target(of: policy.scaleRule)
    guard amax > 0 else { return TensorScale(encode: 1, decode: 1) }
    let isPowerOfTwo = policy.scaleRule == .amaxPowerOfTwo
    switch policy.scaleArithmetic {
    case .multiply:
      var multiplier = min(target / amax, .greatestFiniteMagnitude)
      if isPowerOfTwo {
        // Below 2^-127 the reciprocal would not be finite.
        multiplier = Float(sign: .plus, exponent: max(multiplier.exponent, -127), significand: 1)
      }
      return TensorScale(
        encode: multiplier, decode: min(1 / multiplier, .greatestFiniteMagnitude))
    case .divide, .reciprocal, .quotient:
      var scale = min(max(amax / target, TensorScale.leastDecode), .greatestFiniteMagnitude)
      if isPowerOfTwo && scale.significand > 1 {
        scale = Float(sign: .plus, exponent: min(scale.exponent + 1, 127), significand: 1)
      }
      return TensorScale(decode: scale)
    }
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard !fields.encodeMultiplier.isNaN else {
      fields.fill(Field.codes, with: element.nanCode ?? 0)
      return
    }
    let scale = Float(bitPattern: fields[Field.scale, 0])
    let scaling = scaling(
      TensorScale(encode: fields.encodeMultiplier, decode: scale), context.policy.scaleArithmetic)
    let limit = context.codeLimit { ScaledFormat.decoded($0, scale) }
    for position in values.indices {
      fields[Field.codes, position] = context.code(
        for: Double(scaling(values[position])), at: position, limit: limit,
        tally: &fields.tally)
    }
  }

  /// What happens to the values of a block.
  func scaling(_ scale: TensorScale, _ arithmetic: ScaleArithmetic) -> ElementScaling {
    switch arithmetic {
    case .multiply, .reciprocal: .multiplying(by: scale.encode)
    case .divide, .quotient: .dividing(by: scale.decode)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(bitPattern: fields[Field.scale, 0])
    for position in values.indices {
      let element = context.elementValue(of: fields[Field.codes, position])
      values[position] = ScaledFormat.decoded(element, scale).canonicalNaN
    }
  }

  @inline(__always)
  private static func decoded(_ element: Double, _ scale: Float) -> Float { Float(element) * scale }
}
