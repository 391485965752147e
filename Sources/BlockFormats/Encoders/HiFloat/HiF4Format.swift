/// HiFloat4: elements of four bits below three levels of scales, in blocks of 64.
///
/// A value is element · 2^(e8 + e4) · scale: elements ±0, 0.25, ... 1.75, one bit e8 for each eight of them,
/// one bit e4 for each four, and a scale in E6M2 without zero. Decoding is exact. With the largest
/// magnitudes g of the block, g8 of each eight and g4 of each four, products exact:
///
/// 1. s = BF16 of g · BF16(1/7), clamped to 2^-48...49152; scale = E6M2 of s; r = BF16 of 1 / scale; all to
///    nearest even.
/// 2. e8 is 1 where g8 · r ≥ 4; e4 is 1 where g4 · r · 2^-e8 ≥ 2.
/// 3. code = element of x · r · 2^-(e8 + e4), by the policy's rounding, by default to nearest, ties away.
///
/// A NaN block stores the scale's NaN, exponents 0 and codes 0.
///
/// Source: HiFloat4 (arXiv 2602.11287); the places of its scale bits are those of the PTO instruction set
/// (PTO-CUBE-HIF4-SCALE-001). No source says which element of a byte comes first; here the lower half
/// does.
public struct HiF4Format: ComposedFormat, Hashable {
  /// The canonical id.
  public var id: String { "hif4" }
  /// The defining document.
  public var source: String { "arXiv 2602.11287" }
  /// What the format stores.
  public let layout = BlockLayout(
    block: .vector(length: 64),
    fields: [
      .codes(.signMagnitude(magnitudeBitCount: 3)), .blockScale(.ue6m2),
      StoredField("exponents8", .doubling, .every(8)),
      StoredField("exponents4", .doubling, .every(4)),
    ])
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(
    rounding: .toNearestOrAway, scaleRule: ScaleRule(Rule.seventh))
  /// One word of scales and 32 bytes of elements for each block.
  public var packings: [BlockPacking] { [.pto] }

  /// A seventh of the largest magnitude.
  public var scaleRules: [ScaleRule] { [ScaleRule(Rule.seventh)] }

  /// The scale rules of HiFloat4.
  public enum Rule: String, ScaleRuleChoice {
    /// The scale is a seventh of the largest magnitude, in BF16.
    case seventh

    /// The rule's name in options and reports.
    public var id: String { rawValue }
    /// The rule in a few words.
    public var meaning: String { "the block's largest magnitude maps to 7, by BF16 arithmetic" }
  }

  /// Creates the format.
  public init() {}

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
    static let eights = 2
    static let fours = 3
  }

  private static let seventh = ElementFormat.bf16.rounded(1.0 / 7)

  /// The code of the scale of a block with a largest magnitude.
  static func scaleCode(amax: Float) -> UInt32 {
    let format = ElementFormat.ue6m2
    let wanted = ElementFormat.bf16.rounded(Double(amax) * seventh)
    return format.code(
      for: min(max(wanted, format.leastNonzeroMagnitude), format.greatestFiniteMagnitude))
  }

  /// BF16 of one by the scale with a code.
  static func reciprocal(ofScale code: UInt32) -> Double {
    ElementFormat.bf16.rounded(1 / ElementFormat.ue6m2.value(of: code))
  }

  /// The least product of a magnitude and the reciprocal that doubles its eight elements; that of four
  /// is half of it, below a doubled scale.
  static let eightLimit: Double = 4

  /// Stores the scale and the exponents.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = ElementFormat.ue6m2.nanCode ?? 0
      fields.fill(Field.eights, with: 0)
      fields.fill(Field.fours, with: 0)
      return
    }
    fields[Field.scale, 0] = Self.scaleCode(amax: statistics.amax)
    let reciprocal = Self.reciprocal(ofScale: fields[Field.scale, 0])
    func greatest(_ range: Range<Int>) -> Double {
      var greatest: Float = 0
      for position in range where position < values.count && values[position].isFinite {
        greatest = max(greatest, values[position].magnitude)
      }
      return Double(greatest) * reciprocal
    }
    for index in 0..<fields.count(of: Field.eights) {
      fields[Field.eights, index] = greatest(8 * index..<8 * index + 8) >= Self.eightLimit ? 1 : 0
    }
    for index in 0..<fields.count(of: Field.fours) {
      let limit = fields[Field.eights, index / 2] == 1 ? Self.eightLimit : Self.eightLimit / 2
      fields[Field.fours, index] = greatest(4 * index..<4 * index + 4) >= limit ? 1 : 0
    }
  }

  /// Encodes the block's values with what is stored.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard fields[Field.scale, 0] != ElementFormat.ue6m2.nanCode else {
      fields.fill(Field.codes, with: 0)
      return
    }
    let reciprocal = Self.reciprocal(ofScale: fields[Field.scale, 0])
    for position in values.indices {
      let exponent = fields[Field.eights, position / 8] + fields[Field.fours, position / 4]
      let scaled = Double(values[position]) * reciprocal / Double(1 << exponent)
      fields[Field.codes, position] = context.code(
        for: scaled, at: position, tally: &fields.tally)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = context.value(of: fields[Field.scale, 0], in: Field.scale)
    for position in values.indices {
      let exponent = fields[Field.eights, position / 8] + fields[Field.fours, position / 4]
      let element = context.elementValue(of: fields[Field.codes, position])
      values[position] = Float(element * scale * Double(1 << exponent)).canonicalNaN
    }
  }
}

extension HiF4Format: ExplainedFormat {
  /// The formulas of the definition.
  public var steps: [String] {
    [
      "s       = bf16 of amax * bf16(1/7), clamped to the values of ue6m2",
      "scale   = ue6m2 of s, to nearest even; r = bf16 of 1 / scale",
      "e8      = 1 where amax of eight * r >= 4, else 0",
      "e4      = 1 where amax of four * r * 2^-e8 >= 2, else 0",
      "code    = \(element.name) of x * r * 2^-(e8 + e4), rounded",
      "decoded = q * 2^(e8 + e4) * scale",
      "a NaN block stores scale 0xFF and zeros",
    ]
  }

  /// x · r · 2^-(e8 + e4).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let codes = block.trace.codes
    let exponent = codes[Field.eights][position / 8] + codes[Field.fours][position / 4]
    let reciprocal = HiF4Format.reciprocal(ofScale: codes[Field.scale][0])
    return Double(block.values[position]) * reciprocal / Double(1 << exponent)
  }
}

extension ElementFormat {
  /// The value of the format nearest to a number, ties to even.
  fileprivate func rounded(_ value: Double) -> Double { self.value(of: code(for: value)) }
}

extension BlockPacking {
  /// A little-endian word of scale, exponents of eight and exponents of four, from the lowest bit up; and
  /// two elements a byte.
  fileprivate static let pto = BlockPacking(
    "pto", streams: [("scales", byteCount: 4), ("elements", byteCount: 32)]
  ) { field, index, bit in
    switch field {
    case HiF4Format.Field.scale: Place(stream: 0, bit: bit)
    case HiF4Format.Field.eights: Place(stream: 0, bit: 8 + index)
    case HiF4Format.Field.fours: Place(stream: 0, bit: 16 + index)
    default: Place(stream: 1, bit: 4 * index + bit)
    }
  }
}
