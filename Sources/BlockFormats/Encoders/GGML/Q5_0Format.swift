/// ggml's Q5_0: integers from -16 to 15 with a signed FP16 scale for each block of 32.
///
/// Every step is one FP32 operation:
///
/// 1. m = the first value of the largest magnitude; d = fl(m / -16), so that m maps to -16.
/// 2. i = fl(1 / d); 0 where d is 0 or i is infinite.
/// 3. code = fl(fl(x · i) + 16.5), without its fraction, at most 31.
/// 4. Stored: d in FP16, to nearest even.
///
/// A value decodes to (q - 16) · d, exact. A block of zeros stores -0, and so decodes to -0.
///
/// Codes follow from d before it is rounded, and halves go up: no rounding rule of a policy says that,
/// so the format follows none. Under `OverflowRule.saturate` d stays within FP16. A NaN block stores a
/// NaN scale and codes 16.
///
/// Source: ggml, `quantize_row_q5_0_ref`; the search that it makes with an importance matrix is another
/// rule.
public struct Q5_0Format: ComposedFormat, Hashable {
  /// The canonical id.
  public var id: String { "q5_0" }
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout = BlockLayout(
    block: .vector(length: 32), fields: [.codes(Q5_0Format.element), .blockScale(.fp16)])
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(Rule.greatestToLeast))
  /// ggml's blocks of 22 bytes.
  public var packings: [BlockPacking] { [.ggml] }

  /// The first value of the largest magnitude maps to the least integer.
  public var scaleRules: [ScaleRule] { [ScaleRule(Rule.greatestToLeast)] }

  /// Creates the format.
  public init() {}

  /// Rounding is a part of the definition.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .overflow, .nonFinite: true
    case .rounding, .scaleFloor, .zeroBlock, .zeroSign, .scaleArithmetic: false
    }
  }

  /// The scale rules of ggml's first formats.
  public enum Rule: String, ScaleRuleChoice {
    /// The first value of the largest magnitude maps to the least integer.
    case greatestToLeast = "greatest_to_least"

    /// The rule's name in options and reports.
    public var id: String { rawValue }
    /// The rule in a few words.
    public var meaning: String {
      "the block's first value of the largest magnitude maps to the least integer"
    }
  }

  /// Codes 0...31 stand for -16...15.
  static let element = ElementFormat(
    name: "int5_offset16", table: ValueTable((0..<32).map { Double($0 - 16) }))

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  private static let codeOfZero: UInt32 = 16
  private static let greatestCode: Float = 31
  private static let greatestScale = Float(ElementFormat.fp16.greatestFiniteMagnitude)

  /// Stores d, and hands on its reciprocal.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = ElementFormat.fp16.nanCode ?? 0
      fields.encodeMultiplier = .nan
      return
    }
    var greatest: Float = 0
    for position in values.indices where values[position].isFinite {
      if values[position].magnitude > greatest.magnitude { greatest = values[position] }
    }
    let scale = greatest / -16
    let code = ElementFormat.fp16.code(for: Double(scale), overflow: context.policy.overflow)
    fields[Field.scale, 0] = code
    // Where FP16 ends, codes follow from its end.
    let used =
      context.policy.overflow == .saturate && scale.magnitude > Self.greatestScale
      ? Float(ElementFormat.fp16.value(of: code)) : scale
    let reciprocal = 1 / used
    fields.encodeMultiplier = reciprocal.isFinite ? reciprocal : 0
  }

  /// Encodes the block's values with the reciprocal of d.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    for position in values.indices {
      let value = values[position]
      guard !multiplier.isNaN, !value.isNaN else {
        fields[Field.codes, position] = Self.codeOfZero
        continue
      }
      let code = value * multiplier + 16.5
      // Infinity times zero.
      guard !code.isNaN else {
        fields[Field.codes, position] = Self.codeOfZero
        continue
      }
      let isClipped = code >= Self.greatestCode + 1 || code < 0
      if isClipped && value.isFinite { fields.tally.saturatedCount += 1 }
      fields[Field.codes, position] = UInt32(min(max(code, 0), Self.greatestCode))
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(context.value(of: fields[Field.scale, 0], in: Field.scale))
    for position in values.indices {
      let element = Float(context.elementValue(of: fields[Field.codes, position]))
      values[position] = (element * scale).canonicalNaN
    }
  }
}

extension Q5_0Format: FactoredFormat {}

extension BlockPacking {
  /// Two bytes of scale, four of the codes' high bits, and sixteen of low halves, that of code j beside
  /// that of code j + 16.
  fileprivate static let ggml = BlockPacking("ggml", streams: [("blocks", byteCount: 22)]) {
    field, index, bit in
    switch (field, bit) {
    case (Q5_0Format.Field.scale, _): Place(bit: bit)
    case (_, 4): Place(bit: 16 + index)
    default: Place(bit: 48 + 8 * (index % 16) + 4 * (index / 16) + bit)
    }
  }
}
