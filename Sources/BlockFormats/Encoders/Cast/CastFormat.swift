/// Bare elements without any scale: each value is rounded to the element format.
///
/// NaN becomes the element's NaN; where there is none it becomes the largest value (0 for two's
/// complement), or +0 under `NonFiniteRule.nanToZero`. Without a scale the block of 32 only groups
/// elements for the share of exact blocks.
public struct CastFormat: ComposedFormat, Hashable {
  /// The element's name.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// None: there is no scale.
  public var scaleRules: [ScaleRule] { [.unscaled] }

  /// Creates a cast to an element format; its name is the id.
  public init(element: ElementFormat, source: String) {
    id = element.name
    self.source = source
    layout = BlockLayout(block: .vector(length: 32), fields: [.codes(element)])
    defaultPolicy = EncodingPolicy(nonFinite: .element, scaleRule: .unscaled)
  }

  /// There is no scale to choose.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {}

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let limit = context.codeLimit { Float($0) }
    for position in values.indices {
      fields[0, position] = context.code(
        for: Double(values[position]), at: position, limit: limit, tally: &fields.tally)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    for position in values.indices {
      values[position] = Float(context.elementValue(of: fields[0, position]))
    }
  }
}
