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
/// With `amaxPowerOfTwo` that product is exact unless it falls below 2^-126.
///
/// A value decodes to fl(q · stored), and `CodeLimit` keeps that finite. amax is over finite values. A
/// NaN block stores a NaN scale and the element's NaN code (0 if it has none).
///
/// Source: TransformerEngine's current-scaling and block-scaling recipes.
public struct ScaledFormat: BlockFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public let defaultPolicy: EncodingPolicy

  /// FP32 scales, or powers of two.
  public var scaleRules: [ScaleRule] { [.amax, .amaxPowerOfTwo] }

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
    layout = BlockLayout(element: element, block: block, scale: .fp32)
    defaultPolicy = EncodingPolicy(
      nonFinite: element.nanCode == nil ? .blockNaN : .element, scaleRule: .amax)
  }

  /// Chooses the block's scale by the policy's rule.
  public func encodeScale(
    of values: UnsafeBufferPointer<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields.scale = Float.nan.bitPattern
      fields.encodeMultiplier = .nan
      return
    }
    var multiplier: Float = 1
    if statistics.amax > 0 {
      multiplier = min(
        Float(element.greatestFiniteMagnitude) / statistics.amax, .greatestFiniteMagnitude)
    }
    switch context.policy.scaleRule {
    case .amax: break
    case .amaxPowerOfTwo:
      // Below 2^-127 the reciprocal would not be finite.
      multiplier = Float(sign: .plus, exponent: max(multiplier.exponent, -127), significand: 1)
    case .unscaled, .powerOfTwo, .search, .fourOverSix:
      refuse("\(id) has no scale rule \(context.policy.scaleRule.id)")
    }
    fields.encodeMultiplier = multiplier
    fields.scale = min(1 / multiplier, .greatestFiniteMagnitude).bitPattern
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: UnsafeBufferPointer<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    guard !multiplier.isNaN else {
      fields.codes.update(repeating: element.nanCode ?? 0)
      return
    }
    let scale = Float(bitPattern: fields.scale)
    let limit = context.codeLimit { ScaledFormat.decoded($0, scale) }
    for position in values.indices {
      fields.codes[position] = context.code(
        for: Double(values[position].scaled(by: multiplier)), at: position, limit: limit,
        tally: &fields.tally)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    let scale = Float(bitPattern: fields.scale)
    for position in values.indices {
      let element = context.elementValue(of: fields.codes[position])
      values[position] = ScaledFormat.decoded(element, scale).canonicalNaN
    }
  }

  @inline(__always)
  private static func decoded(_ element: Double, _ scale: Float) -> Float { Float(element) * scale }
}

extension Float {
  /// x · multiplier as one FP32 operation; the largest number of its sign where a finite value leaves
  /// FP32, so that it overflows in the element as finite values do.
  package func scaled(by multiplier: Float) -> Float {
    let product = self * multiplier
    guard product.isInfinite && isFinite else { return product }
    return Float(signOf: product, magnitudeOf: .greatestFiniteMagnitude)
  }
}
