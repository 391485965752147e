import CallerChecks

/// Elements between -1 and 1 with the largest magnitude of each block as an FP32 scale: the tables of
/// bitsandbytes.
///
/// Every step is one FP32 operation:
///
/// 1. Stored: amax, over finite values.
/// 2. r = fl(1 / max(amax, 10^-38)), where 10^-38 is the FP32 number nearest to it.
/// 3. code = element of fl(x · r), by the policy's rounding.
///
/// A value decodes to fl(q · amax). A NaN block stores a NaN scale and codes 0.
///
/// Where a last block is short, bitsandbytes' CPU code stores at least 10^-38 and divides by it; its
/// CUDA code and this encoder treat all blocks alike.
///
/// Source: Dettmers et al., "QLoRA", NeurIPS 2023; bitsandbytes.
public struct AbsmaxFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy
  /// Where producers put the stored bits.
  public let packings: [BlockPacking]

  /// The largest magnitude is stored.
  public var scaleRules: [ScaleRule] { [.amax] }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format, whose largest value is one.
  ///   - block: the elements that share a scale.
  ///   - packings: where producers put the stored bits.
  public init(
    id: String, source: String, element: ElementFormat, block: BlockShape,
    packings: [BlockPacking] = []
  ) {
    require(
      element.greatestDecodableMagnitude == 1,
      "the largest magnitude of \(element) is \(element.greatestDecodableMagnitude), not 1")
    self.id = id
    self.source = source
    self.packings = packings
    layout = BlockLayout(block: block, fields: [.codes(element), .blockScale(.fp32)])
    defaultPolicy = EncodingPolicy(scaleRule: .amax)
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  /// Below it, values are not brought up to one.
  static let leastAmax: Float = 1e-38

  /// Stores the largest magnitude.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let isNaN = context.policy.poisons(statistics, element: element)
    fields[Field.scale, 0] = (isNaN ? .nan : statistics.amax).bitPattern
    fields.encodeMultiplier = isNaN ? .nan : 1 / max(statistics.amax, Self.leastAmax)
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    guard !multiplier.isNaN else {
      fields.fill(Field.codes, with: 0)
      return
    }
    for position in values.indices {
      fields[Field.codes, position] = context.code(
        for: Double(values[position].scaled(by: multiplier)), at: position, tally: &fields.tally)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(bitPattern: fields[Field.scale, 0])
    for position in values.indices {
      let element = Float(context.elementValue(of: fields[Field.codes, position]))
      values[position] = (element * scale).canonicalNaN
    }
  }

  /// Formats are equal if their ids and layouts are, and their default choices.
  public static func == (a: AbsmaxFormat, b: AbsmaxFormat) -> Bool {
    a.isSame(as: b) && a.defaultPolicy == b.defaultPolicy
  }

  /// Hashes the id.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension AbsmaxFormat: FactoredFormat {}

extension AbsmaxFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    [
      ExactNumber.float32Steps,
      "stored scale = amax",
      "r       = fl(1 / max(amax, 10^-38))",
      "code    = \(element.name) of fl(x * r), rounded"
        + (element.statesThresholds
          ? "; to nearest by the table's thresholds, which belong to the lower value" : ""),
      "decoded = fl(q * amax)",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(0, element))",
    ]
  }

  /// fl(x · r).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    Double(block.values[position].scaled(by: block.trace.encodeMultiplier))
  }
}
