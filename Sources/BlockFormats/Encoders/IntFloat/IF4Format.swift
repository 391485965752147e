/// Four-bit elements that are E2M1 in one block and integers in the next, as the sign of the block's scale
/// says: IF4.
///
/// The container is NVFP4's: blocks of 16 with an E4M3 scale each and an FP32 scale for the tensor. Scales
/// are never negative, so that their sign bit is free. Where it is 0, codes are E2M1; where it is 1, codes
/// are integers q of ±7 in two's complement that stand for q · 6/7, so that both reach 6. Code 8 of an
/// integer block is -8, which is decoded and never produced. Every step one FP32 operation:
///
/// 1. S = fl(2688 / amax) for the tensor, at least 2^-149 and at most FLT_MAX; 1 when amax = 0. Stored:
///    R = min(fl(1 / S), FLT_MAX).
/// 2. s = E4M3, to nearest even and saturating, of fl(fl(amax_b / 6) · S).
/// 3. r = min(fl(1 / fl(s · R)), FLT_MAX), where R is min(fl(1 / S), FLT_MAX) for a given tensor scale, too.
/// 4. float code = E2M1 of fl(x · r), integer code = integer of fl(fl(x · r) · fl(7/6)), both by the policy's
///    rounding, by default to nearest even.
/// 5. Both blocks are decoded; the one with the smaller squared error is stored, E2M1 where they are equal.
///
/// A float code decodes to fl(fl(q · s) · R), an integer code to fl(fl(fl(q · fl(6/7)) · s) · R), and
/// `CodeLimit` keeps both finite. amax is over finite values. A block whose s is zero stores scale byte 0
/// and codes 0. A NaN block stores the scale's NaN, without the flag, and codes 0.
///
/// fouroversix has the same steps 1 to 4 but for values beyond the largest, which its E2M1 does not clip;
/// it stores amax in the place of R, so that decoded values may differ in their last bits; and it adds
/// squared errors in FP32, so that nearly equal blocks may choose differently.
///
/// Source: arXiv 2603.28765; fouroversix (`if4`, rule `mse`).
public struct IF4Format: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "arXiv 2603.28765, fouroversix" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(Rule.intOrFloat))

  /// One of two readings of the codes, by their error.
  public var scaleRules: [ScaleRule] { [ScaleRule(Rule.intOrFloat)] }

  /// The scale rules of IF4.
  public enum Rule: String, ScaleRuleChoice {
    /// The amax of a block maps to 6, and its elements are E2M1 or integers, by squared error.
    case intOrFloat = "int_or_float"

    /// The rule's name in options and reports.
    public var id: String { rawValue }
    /// The rule in a few words.
    public var meaning: String {
      "the block's largest magnitude maps to 6, in E2M1 or in steps of 6/7, by squared error"
    }
    /// Whether the rule looks at values: it encodes a block twice.
    public var needsValues: Bool { true }
  }

  /// Creates the format.
  ///
  /// - Parameter block: the elements that share a scale and a choice.
  public init(block: Int = 16) {
    id = block == 16 ? "if4" : "if4(block=\(block))"
    layout = BlockLayout(
      block: .vector(length: block),
      fields: [
        .codes(.e2m1fn), StoredField("scales", .e4m3fn, .perBlock(1), role: .opaque), .tensorScale,
      ])
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  /// The sign bit of a scale, which says that codes are integers.
  static let integerFlag: UInt32 = 0x80
  /// The elements of integer blocks, in units of 6/7.
  private static let integer = ElementFormat.int4
  private static let scaleFormat = ElementFormat.e4m3fn
  private static let greatestElement: Float = 6

  /// The tensor's scale: step 1 of the definition above.
  public func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale {
    guard statistics.amax > 0 else { return TensorScale(encode: 1, decode: 1) }
    let target = Self.greatestElement * Float(Self.scaleFormat.greatestFiniteMagnitude)
    var scale = TensorScale(
      encode: min(
        max(target / statistics.amax, .leastNonzeroMagnitude), .greatestFiniteMagnitude), decode: 1)
    scale.decode = scale.encodeReciprocal
    return scale
  }

  /// Chooses the block's scale and what its codes are.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = Self.scaleFormat.nanCode ?? 0
      return
    }
    let code = scaleCode(amax: statistics.amax, context.tensorScale)
    guard code != 0 else {
      fields[Field.scale, 0] = 0
      return
    }
    let tally = fields.tally
    var best: (scale: UInt32, error: Double)?
    for scale in [code, code | Self.integerFlag] {
      fields[Field.scale, 0] = scale
      encodeElements(of: values, context: context, into: &fields)
      let error = squaredError(of: fields, context: context.decoding, against: values)
      if error < best?.error ?? .infinity || best == nil { best = (scale, error) }
    }
    if let best { fields[Field.scale, 0] = best.scale }
    fields.tally = tally
  }

  /// The scale of a block without the flag: step 2 of the definition above.
  private func scaleCode(amax: Float, _ tensorScale: TensorScale) -> UInt32 {
    // The tensor's factor may be infinite times zero.
    let wanted = amax == 0 ? 0 : amax / Self.greatestElement * tensorScale.encode
    return Self.scaleFormat.code(for: Double(wanted))
  }

  /// Step 3 of the definition above, for a scale above zero.
  private func multiplier(_ code: UInt32, _ tensorScale: TensorScale) -> Float {
    let scale = Float(Self.scaleFormat.value(of: code & ~Self.integerFlag))
    return min(1 / (scale * tensorScale.encodeReciprocal), .greatestFiniteMagnitude)
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let code = fields[Field.scale, 0]
    guard code != 0, code != Self.scaleFormat.nanCode else {
      fields.fill(Field.codes, with: 0)
      return
    }
    let multiplier = multiplier(code, context.tensorScale)
    let scale = Float(Self.scaleFormat.value(of: code & ~Self.integerFlag))
    let tensorScale = context.decoding.tensorScale
    if code & Self.integerFlag == 0 {
      let limit = context.codeLimit { IF4Format.decoded(Float($0), scale, tensorScale) }
      for position in values.indices {
        fields[Field.codes, position] = context.code(
          for: Double(values[position].scaled(by: multiplier)), at: position, limit: limit,
          tally: &fields.tally)
      }
      return
    }
    let encoder = ElementEncoder(
      Self.integer, rounding: context.policy.rounding, overflow: context.policy.overflow,
      nonFinite: context.policy.nonFinite)
    func decoded(_ q: Double) -> Float {
      IF4Format.decoded(IF4Format.integerValue(q), scale, tensorScale)
    }
    var limit = CodeLimit.none
    if context.policy.overflow == .saturate { limit = Self.integer.codeLimit(decoded) }
    for position in values.indices {
      let scaled = values[position].scaled(by: multiplier).scaled(by: 7 / 6)
      fields[Field.codes, position] = encoder.code(
        for: Double(scaled), index: context.indices[position], limit: limit, tally: &fields.tally)
    }
  }

  /// fl(q · fl(6/7)).
  private static func integerValue(_ q: Double) -> Float { Float(q) * (6 / 7) }

  private static func decoded(_ value: Float, _ scale: Float, _ tensorScale: Float) -> Float {
    value * scale * tensorScale
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let code = fields[Field.scale, 0]
    let isInteger = code & Self.integerFlag != 0
    let scale = Float(Self.scaleFormat.value(of: code & ~Self.integerFlag))
    for position in values.indices {
      let code = fields[Field.codes, position]
      let value =
        isInteger
        ? IF4Format.integerValue(Self.integer.value(of: code))
        : Float(context.elementValue(of: code))
      values[position] = IF4Format.decoded(value, scale, context.tensorScale).canonicalNaN
    }
  }
}

extension IF4Format: ExplainedFormat {
  /// The formulas of the definition.
  public var steps: [String] {
    [
      ExactNumber.float32Steps,
      "S       = min(fl(2688 / amax of the tensor), FLT_MAX); 1 where amax = 0",
      "stored tensor scale = min(fl(1 / S), FLT_MAX)",
      "s       = e4m3fn, to nearest even and saturating, of fl(fl(amax of the block / 6) * S)",
      "r       = min(fl(1 / fl(s * min(fl(1 / S), FLT_MAX))), FLT_MAX)",
      "code    = e2m1fn of fl(x * r), rounded; all 0 where s = 0",
      "       or int4 of fl(fl(x * r) * fl(7/6)), rounded, with bit 0x80 of the scale set,",
      "          where that makes the smaller squared error",
      "decoded = fl(fl(q * s) * stored tensor scale), with fl(q * fl(6/7)) for q of an int4",
      "a NaN block stores scale 0x7F and codes 0",
    ]
  }

  /// Integers where the scale's flag is set.
  public func element(of block: ExplainedBlock) -> ElementFormat {
    isInteger(block) ? Self.integer : element
  }

  /// fl(x · r), in steps of 6/7 where codes are integers.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let code = block.trace.codes[Field.scale][0]
    guard code != 0 else { return 0 }
    let scaled = block.values[position].scaled(by: multiplier(code, block.tensorScale))
    return Double(isInteger(block) ? scaled.scaled(by: 7 / 6) : scaled)
  }

  private func isInteger(_ block: ExplainedBlock) -> Bool {
    block.trace.codes[Field.scale][0] & Self.integerFlag != 0
  }

  /// Whether the block's own scale is zero.
  public func losesAllValues(of block: ExplainedBlock) -> Bool {
    block.trace.codes[Field.scale][0] == 0
  }

  /// A row for each reading of the codes; none where the scale is zero.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] {
    let code = scaleCode(amax: block.statistics.amax, block.tensorScale)
    guard code != 0 else { return [] }
    return [("float", code), ("integer", code | Self.integerFlag)].map { name, scale in
      ScaleCandidate(
        name: name, isChosen: block.trace.codes[Field.scale] == [scale],
        facts: [.init("scale", "Scale", .code(scale, Self.scaleFormat))],
        trace: block.encoded { $0[Field.scale, 0] = scale })
    }
  }
}
