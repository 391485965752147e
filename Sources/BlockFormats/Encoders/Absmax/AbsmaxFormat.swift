import CallerChecks

/// Elements of a table with an FP32 scale for each block, by which its largest magnitude meets that of the
/// table: the tables of bitsandbytes, and a user's own.
///
/// Every step is one FP32 operation, with M the largest magnitude of the table, of either sign:
///
/// 1. Stored: s = min(fl(amax / M), FLT_MAX), amax over finite values. M = 1 stores amax itself.
/// 2. r = fl(1 / max(s, 10^-38)), where 10^-38 is the FP32 number nearest to it.
/// 3. code = element of fl(x · r), by the policy's rounding.
///
/// A value decodes to fl(q · s), and `CodeLimit` keeps that finite; M = 1 needs no limit. Where s is below
/// 10^-38, values stay as far below the table's ends. A NaN block stores a NaN scale and codes 0. A scale
/// that the caller gives, for a block of the whole tensor, encodes by its reciprocal like all that are given.
///
/// A table may end at M on one side alone; values of the other side beyond its end saturate.
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

  /// The largest magnitude meets that of the table.
  public var scaleRules: [ScaleRule] { [.amax] }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format; its values are FP32 numbers, the largest magnitude within
  ///     `greatestMagnitudes`.
  ///   - block: the elements that share a scale.
  ///   - packings: where producers put the stored bits.
  public init(
    id: String, source: String, element: ElementFormat, block: BlockShape,
    packings: [BlockPacking] = []
  ) {
    require(
      AbsmaxFormat.greatestMagnitudes.contains(element.greatestDecodableMagnitude),
      "the largest magnitude of \(element) is \(element.greatestDecodableMagnitude), not in 2^-64...2^64"
    )
    self.id = id
    self.source = source
    greatest = Float(element.greatestDecodableMagnitude)
    self.packings = packings
    layout = BlockLayout(block: block, fields: [.codes(element), .blockScale(.fp32)])
    defaultPolicy = EncodingPolicy(scaleRule: .amax)
  }

  /// The largest magnitudes that a table may have, so that scales fit FP32 for most values.
  public static let greatestMagnitudes: ClosedRange<Double> = 0x1p-64...0x1p64

  /// M, the largest magnitude of the table.
  let greatest: Float

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  /// Below it, values are not brought up to the ends of the table.
  static let leastScale: Float = 1e-38

  /// Stores the largest magnitude in units of the table's.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let isNaN = context.policy.poisons(statistics, element: element)
    let scale = isNaN ? .nan : min(statistics.amax / greatest, .greatestFiniteMagnitude)
    fields[Field.scale, 0] = scale.bitPattern
    fields.encodeMultiplier = isNaN ? .nan : 1 / max(scale, Self.leastScale)
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
    let scale = Float(bitPattern: fields[Field.scale, 0])
    let limit = context.codeLimit { Float($0) * scale }
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
    let most = ExactNumber.text(Double(greatest))
    return [
      ExactNumber.float32Steps,
      greatest == 1 ? "stored scale = amax" : "stored scale = min(fl(amax / \(most)), FLT_MAX)",
      "r       = fl(1 / max(\(greatest == 1 ? "amax" : "stored scale"), 10^-38))",
      "code    = \(element.name) of fl(x * r), rounded"
        + (element.statesThresholds
          ? "; to nearest by the table's thresholds, which belong to the lower value" : ""),
      greatest == 1 ? "decoded = fl(q * amax)" : "decoded = fl(q * stored scale)",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(0, element))",
    ]
  }

  /// fl(x · r).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    Double(block.values[position].scaled(by: block.trace.encodeMultiplier))
  }
}
