/// ggml's Q4_K: codes of four bits with factors and offsets on two levels.
///
/// A block of 256 has eight parts of 32. With the part's numbers s and o of six bits and the block's D and
/// M in FP16, a value decodes to fl((D · s) · q - M · o); both products are exact. `Q4_KSearch` finds the
/// factor and the offset of each part; then, every step one FP32 operation:
///
/// 1. s = fl(fl(63 / F) · factor) and o = fl(fl(63 / O) · offset), to the nearest integer, at most 63,
///    with the largest factor F and the largest offset O of the block; 0 where F or O is 0.
/// 2. Stored: D = F / 63 and M = O / 63 in FP16, to nearest even.
/// 3. code = fl(fl(x + M · o) / (D · s)), to the nearest integer, ties to even, within 0...15; where D · s
///    is 0, what the search found.
///
/// Rounding is a part of the definition, so the format follows no other. Under `OverflowRule.saturate` D
/// and M stay within FP16, and a part that needs more has s or o 63. A NaN block stores NaN in D and M and
/// zeros elsewhere.
///
/// Source: ggml, `quantize_row_q4_K_ref`. A compiler that fuses its multiplications and additions
/// makes other bytes of it; the search that it makes with an importance matrix is another rule.
public struct Q4_KFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public var id: String { "q4_k" }
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout = BlockLayout(
    block: .vector(length: 256),
    fields: [
      .codes(.unsignedInteger(bitCount: 4)),
      StoredField("scales", .unsignedInteger(bitCount: 6), .every(Q4_KFormat.partLength)),
      StoredField(
        "mins", .unsignedInteger(bitCount: 6), .every(Q4_KFormat.partLength), role: .offset),
      StoredField("block_scales", .fp16, .perBlock(1)),
      StoredField("block_mins", .fp16, .perBlock(1), role: .offset),
    ])
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(Rule.weightedFit))
  /// ggml's blocks of 144 bytes.
  public var packings: [BlockPacking] { [.ggml] }

  /// The weighted fit of ggml.
  public var scaleRules: [ScaleRule] { [ScaleRule(Rule.weightedFit)] }

  /// The scale rules of ggml's formats with two levels.
  public enum Rule: String, ScaleRuleChoice {
    /// The best of 21 lines by weighted squared error.
    case weightedFit = "weighted_fit"

    /// The rule's name in options and reports.
    public var id: String { rawValue }
    /// The rule in a few words.
    public var meaning: String {
      "the line through each part with the least weighted squared error"
    }
  }

  /// Creates the format.
  public init() {}

  /// Rounding is a part of the definition.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .overflow, .nonFinite: true
    case .rounding, .scaleFloor, .zeroBlock, .zeroSign, .scaleArithmetic: false
    }
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scales = 1
    static let mins = 2
    static let blockScale = 3
    static let blockMin = 4
  }

  static let partLength = 32
  private static let greatestPartCode: Float = 63

  /// Stores the numbers of the block and of its parts, and leaves the codes of the search.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let partCount = fields.count(of: Field.scales)
    guard !context.policy.poisons(statistics, element: element) else {
      for field in [Field.codes, Field.scales, Field.mins] { fields.fill(field, with: 0) }
      for field in [Field.blockScale, Field.blockMin] {
        fields[field, 0] = ElementFormat.fp16.nanCode ?? 0
      }
      return
    }
    let values = Q4_KFormat.finite(values, statistics)
    let lines = (0..<partCount).map { part in
      Q4_KSearch.line(through: values[Q4_KFormat.range(part, values.count)])
    }
    for (part, line) in lines.enumerated() {
      for (index, code) in line.codes.enumerated() {
        fields[Field.codes, part * Self.partLength + index] = code
      }
    }
    store(
      lines.map(\.scale), in: Field.scales, below: Field.blockScale, context.policy, fields)
    store(lines.map(\.offset), in: Field.mins, below: Field.blockMin, context.policy, fields)
  }

  /// Stores numbers of parts as codes of six bits and the number of the block that they multiply.
  private func store(
    _ numbers: [Float], in field: Int, below blockField: Int, _ policy: EncodingPolicy,
    _ fields: BlockFields
  ) {
    var greatest: Float = 0
    for number in numbers where number > greatest { greatest = number }
    let unit = greatest / Self.greatestPartCode
    let code = ElementFormat.fp16.code(for: Double(unit), overflow: policy.overflow)
    fields[blockField, 0] = code
    var multiplier = greatest > 0 ? Self.greatestPartCode / greatest : 0
    let end = Float(ElementFormat.fp16.greatestFiniteMagnitude)
    let isClipped = policy.overflow == .saturate && unit > end
    if isClipped { multiplier = 1 / end }
    for (part, number) in numbers.enumerated() {
      // A factor that rounding made negative becomes the largest code, as in ggml.
      var scaled = multiplier * number
      // Beyond what the block's number reaches.
      if isClipped { scaled = min(scaled, Self.greatestPartCode) }
      let nearest = Q4_KSearch.nearestInteger(scaled) & 0xFF
      fields[field, part] = UInt32(min(nearest, Int(Self.greatestPartCode)))
    }
  }

  /// Encodes the block's values with what is stored.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let numbers = BlockNumbers(fields, context.decoding)
    guard !numbers.scale.isNaN else { return }
    let finite = Q4_KFormat.finite(values, ValueStatistics(values))
    for part in 0..<fields.count(of: Field.scales) {
      let (scale, offset) = numbers.line(part, fields)
      guard scale != 0 else { continue }
      for position in Q4_KFormat.range(part, values.count) {
        let code = (finite[position] + offset) / scale
        if code >= 15.5 && values[position].isFinite { fields.tally.saturatedCount += 1 }
        fields[Field.codes, position] = UInt32(
          min(max(Q4_KSearch.nearestInteger(min(max(code, -1), 16)), 0), 15))
      }
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let numbers = BlockNumbers(fields, context)
    for part in 0..<fields.count(of: Field.scales) {
      let (scale, offset) = numbers.line(part, fields)
      for position in Q4_KFormat.range(part, values.count) {
        let product = scale * Float(fields[Field.codes, position])
        values[position] = (product - offset).canonicalNaN
      }
    }
  }

  /// The values of a part.
  private static func range(_ part: Int, _ count: Int) -> Range<Int> {
    part * partLength..<min((part + 1) * partLength, count)
  }

  /// The values with NaN as zero and infinities as the largest finite magnitude of the block.
  private static func finite(_ values: Span<Float>, _ statistics: ValueStatistics) -> [Float] {
    values.indices.map { position in
      let value = values[position]
      if value.isFinite { return value }
      return value.isNaN ? 0 : Float(signOf: value, magnitudeOf: statistics.amax)
    }
  }

  /// The block's two numbers.
  private struct BlockNumbers {
    let scale: Float
    let offset: Float

    init(_ fields: BlockFields, _ context: borrowing DecodingContext) {
      scale = Float(context.value(of: fields[Field.blockScale, 0], in: Field.blockScale))
      offset = Float(context.value(of: fields[Field.blockMin, 0], in: Field.blockMin))
    }

    /// The factor and the offset of a part, exact.
    func line(_ part: Int, _ fields: BlockFields) -> (scale: Float, offset: Float) {
      (scale * Float(fields[Field.scales, part]), offset * Float(fields[Field.mins, part]))
    }
  }
}

extension BlockPacking {
  /// Two bytes each of D and M, twelve of the parts' numbers, and 128 of codes, those of two
  /// neighbouring parts in the halves of a byte.
  ///
  /// The numbers of the first four parts lie in the low six bits of four bytes each; of the others, the
  /// low four bits in the last four bytes and the high two above those of the part four before.
  fileprivate static let ggml = BlockPacking("ggml", streams: [("blocks", byteCount: 144)]) {
    field, index, bit in
    switch field {
    case Q4_KFormat.Field.blockScale: return Place(bit: bit)
    case Q4_KFormat.Field.blockMin: return Place(bit: 16 + bit)
    case Q4_KFormat.Field.codes:
      let (part, position) = (index / 32, index % 32)
      return Place(bit: 8 * (16 + 32 * (part / 2) + position) + 4 * (part % 2) + bit)
    default:
      let isOffset = field == Q4_KFormat.Field.mins
      let first = isOffset ? 8 : 4
      if index < 4 { return Place(bit: 8 * (first + index) + bit) }
      return bit < 4
        ? Place(bit: 8 * (12 + index - 4) + (isOffset ? 4 : 0) + bit)
        : Place(bit: 8 * (first + index - 4) + 2 + bit)
    }
  }
}
