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
    var multiplier: Float = 1
    if statistics.amax > 0 {
      multiplier = min(
        Float(element.greatestFiniteMagnitude) / statistics.amax, .greatestFiniteMagnitude)
    }
    switch context.policy.scaleRule.as(AmaxRule.self) {
    case .amax: break
    case .amaxPowerOfTwo:
      // Below 2^-127 the reciprocal would not be finite.
      multiplier = Float(sign: .plus, exponent: max(multiplier.exponent, -127), significand: 1)
    case .fourOverSix, nil:
      refuse("\(id) has no scale rule \(context.policy.scaleRule.id)")
    }
    fields.encodeMultiplier = multiplier
    fields[Field.scale, 0] = min(1 / multiplier, .greatestFiniteMagnitude).bitPattern
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    guard !multiplier.isNaN else {
      fields.fill(Field.codes, with: element.nanCode ?? 0)
      return
    }
    let scale = Float(bitPattern: fields[Field.scale, 0])
    let limit = context.codeLimit { ScaledFormat.decoded($0, scale) }
    for position in values.indices {
      fields[Field.codes, position] = context.code(
        for: Double(values[position].scaled(by: multiplier)), at: position, limit: limit,
        tally: &fields.tally)
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

extension Float {
  /// x · multiplier as one FP32 operation; the largest number of its sign where a finite value leaves
  /// FP32, so that it overflows in the element as finite values do.
  package func scaled(by multiplier: Float) -> Float {
    let product = self * multiplier
    guard product.isInfinite && isFinite else { return product }
    return Float(signOf: product, magnitudeOf: .greatestFiniteMagnitude)
  }
}
