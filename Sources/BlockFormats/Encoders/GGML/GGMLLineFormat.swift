/// ggml's Q2_K, Q4_K and Q5_K: codes of n bits with factors and offsets on two levels.
///
/// A block of 256 has parts of 32, in Q2_K of 16. With the part's numbers s and o and the block's D and M
/// in FP16, a value decodes to fl((D · s) · q - M · o); both products are exact. s and o are integers up to
/// S: 63, in Q2_K 15. `GGMLLineSearch` finds the factor and the offset of each part; then, every step one
/// FP32 operation:
///
/// 1. s = fl(fl(S / F) · factor) and o = fl(fl(S / O) · offset), to the nearest integer, at most S,
///    with the largest factor F and the largest offset O of the block; 0 where F or O is 0.
/// 2. Stored: D = F / S and M = O / S in FP16, to nearest even.
/// 3. code = fl(fl(x + M · o) / (D · s)), to the nearest integer, ties to even, within 0...2^n - 1; where
///    D · s is 0, what the search found.
///
/// Rounding is a part of the definition, so the format follows no other. Under `OverflowRule.saturate` D
/// and M stay within FP16, and a part that needs more has s or o S. A NaN block stores NaN in D and M and
/// zeros elsewhere.
///
/// Source: ggml, `quantize_row_q2_K_ref`, `quantize_row_q4_K_ref` and `quantize_row_q5_K_ref`. A compiler
/// that fuses its multiplications and additions makes other bytes of it; the search that it makes with
/// an importance matrix is another rule.
public struct GGMLLineFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy
  /// ggml's blocks.
  public var packings: [BlockPacking] { [bytes.packing] }

  /// The weighted fit of ggml.
  public var scaleRules: [ScaleRule] { [rule] }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - bits: bits of a code.
  ///   - partLength: the elements of a part.
  ///   - partBits: bits of a part's numbers.
  ///   - search: what finds the line of a part.
  ///   - bytes: those of ggml's blocks.
  init(
    id: String, bits: Int, partLength: Int, partBits: Int, search: GGMLLineSearch,
    bytes: GGMLBytes
  ) {
    self.id = id
    let part = ElementFormat.unsignedInteger(bitCount: partBits)
    layout = BlockLayout(
      block: .vector(length: 256),
      fields: [
        .codes(.unsignedInteger(bitCount: bits)), StoredField("scales", part, .every(partLength)),
        StoredField("mins", part, .every(partLength), role: .offset),
        StoredField("block_scales", .fp16, .perBlock(1)),
        StoredField("block_mins", .fp16, .perBlock(1), role: .offset),
      ])
    self.bytes = bytes
    self.partLength = partLength
    self.search = search
    greatestPartCode = Float((1 << partBits) - 1)
    rule = ScaleRule(
      search.error == .squared ? GGMLRule.weightedFit : GGMLRule.weightedAbsoluteFit)
    defaultPolicy = EncodingPolicy(scaleRule: rule)
  }

  /// Rounding is a part of the definition.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    GGMLNumbers.followsAllButRounding(aspect)
  }

  private let bytes: GGMLBytes

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scales = 1
    static let mins = 2
    static let blockScale = 3
    static let blockMin = 4
  }

  private let partLength: Int
  private let search: GGMLLineSearch
  private let greatestPartCode: Float
  private let rule: ScaleRule

  /// Stores the numbers of the block and of its parts, and leaves the codes of the search.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      for field in [Field.codes, Field.scales, Field.mins] { fields.fill(field, with: 0) }
      for field in [Field.blockScale, Field.blockMin] {
        fields[field, 0] = ElementFormat.fp16.nanCode ?? 0
      }
      return
    }
    let lines = search.lines(
      through: GGMLNumbers.finite(values, context.policy.nonFinite), partLength: partLength)
    for (part, line) in lines.enumerated() {
      for (index, code) in line.codes.enumerated() {
        fields[Field.codes, part * partLength + index] = code
      }
    }
    store(
      lines.map(\.scale), in: Field.scales, below: Field.blockScale, context.policy, fields)
    store(lines.map(\.offset), in: Field.mins, below: Field.blockMin, context.policy, fields)
  }

  /// Stores numbers of parts as integers and the number of the block that they multiply.
  private func store(
    _ numbers: [Float], in field: Int, below blockField: Int, _ policy: EncodingPolicy,
    _ fields: BlockFields
  ) {
    var greatest: Float = 0
    for number in numbers where number > greatest { greatest = number }
    let unit = greatest / greatestPartCode
    fields[blockField, 0] = ElementFormat.fp16.code(for: Double(unit), overflow: policy.overflow)
    var multiplier = greatest > 0 ? greatestPartCode / greatest : 0
    let isClipped = policy.overflow == .saturate && unit > GGMLNumbers.greatestHalf
    if isClipped { multiplier = 1 / GGMLNumbers.greatestHalf }
    for (part, number) in numbers.enumerated() {
      // A factor that rounding made negative becomes the largest code, as it does in ggml's Q4_K.
      var scaled = multiplier * number
      // Beyond what the block's number reaches.
      if isClipped { scaled = min(scaled, greatestPartCode) }
      let nearest = GGMLNumbers.nearestInteger(scaled) & 0xFF
      fields[field, part] = UInt32(min(nearest, Int(greatestPartCode)))
    }
  }

  /// Encodes the block's values with what is stored.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let numbers = BlockNumbers(fields, context.decoding)
    guard !numbers.scale.isNaN else { return }
    let (finite, greatest) = (
      GGMLNumbers.finite(values, context.policy.nonFinite), search.greatestCode
    )
    for part in 0..<fields.count(of: Field.scales) {
      let (scale, offset) = numbers.line(part, fields)
      guard scale != 0 else { continue }
      for position in GGMLNumbers.range(part, of: partLength, in: values.count) {
        let code = (finite[position] + offset) / scale
        if code >= greatest + 0.5 && values[position].isFinite { fields.tally.saturatedCount += 1 }
        let nearest = GGMLNumbers.nearestInteger(min(max(code, -1), greatest + 1))
        fields[Field.codes, position] = UInt32(min(max(nearest, 0), Int(greatest)))
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
      for position in GGMLNumbers.range(part, of: partLength, in: values.count) {
        let product = scale * Float(fields[Field.codes, position])
        values[position] = (product - offset).canonicalNaN
      }
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

extension GGMLLineFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let (most, greatest) = (
      ExactNumber.text(Double(greatestPartCode)), ExactNumber.text(Double(search.greatestCode))
    )
    return [ExactNumber.float32Steps] + search.steps + [
      "F, O    = the largest factor and the largest offset of the block's parts",
      "D, M    = fl(F / \(most)), fl(O / \(most)), stored in fp16, to nearest even",
      "s       = fl(fl(\(most) / F) * factor), to the nearest integer, at most \(most); 0 where F = 0",
      "o       = fl(fl(\(most) / O) * offset), likewise",
      "code    = fl(fl(x + M * o) / (D * s)), to the nearest integer, ties to even, "
        + "within 0...\(greatest); the line's where D * s = 0",
      "decoded = fl((D * s) * code - M * o)",
      "a NaN block stores NaN in D and M, and zeros",
    ]
  }

  /// fl(fl(x + M · o) / (D · s)), or the code of the search.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let part = position / partLength
    let scale = block.number(0, of: Field.blockScale) * block.number(part, of: Field.scales)
    let offset = block.number(0, of: Field.blockMin) * block.number(part, of: Field.mins)
    guard scale != 0 else { return block.number(position, of: Field.codes) }
    let value = GGMLNumbers.finite(
      block.values[position], amax: block.statistics.amax, block.policy.nonFinite)
    return Double((value + Float(offset)) / Float(scale))
  }
}
