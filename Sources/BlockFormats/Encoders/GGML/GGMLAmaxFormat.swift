/// ggml's Q8_0, TQ1_0 and TQ2_0: integers within ±N with an FP16 scale for each block.
///
/// N is 127 in Q8_0 and 1 in the other two. Every step is one FP32 operation:
///
/// 1. d = fl(amax / N).
/// 2. i = fl(1 / d); 0 where d is 0 or i is infinite.
/// 3. code = element of fl(x · i) within ±N, by the policy's rounding, by default to nearest, ties away.
/// 4. Stored: d in FP16, to nearest even.
///
/// A value decodes to q · d, exact. Codes follow from d before it is rounded. The two bits of TQ2_0 hold
/// integers up to 2, which decode but are never produced.
///
/// Under `OverflowRule.saturate` d stays within FP16. A NaN block stores a NaN scale and the codes of
/// zero.
///
/// Source: ggml, `quantize_row_q8_0_ref`, `quantize_row_tq1_0_ref` and `quantize_row_tq2_0_ref`.
public struct GGMLAmaxFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(rounding: .toNearestOrAway, scaleRule: .amax)
  /// ggml's blocks.
  public var packings: [BlockPacking] { [bytes.packing] }

  /// The largest magnitude maps to N.
  public var scaleRules: [ScaleRule] { [.amax] }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - element: integers.
  ///   - greatest: N, one of them.
  ///   - length: the elements of a block.
  ///   - bytes: those of ggml's blocks.
  init(id: String, element: ElementFormat, greatest: Int, length: Int, bytes: GGMLBytes) {
    self.id = id
    layout = BlockLayout(
      block: .vector(length: length), fields: [.codes(element), .blockScale(.fp16)])
    self.bytes = bytes
    self.greatest = Float(greatest)
    limit = element.codeLimit { $0 > Double(greatest) ? .infinity : 0 }
    codeOfZero = element.code(for: 0)
  }

  private let bytes: GGMLBytes

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  let greatest: Float
  let limit: CodeLimit
  private let codeOfZero: UInt32

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
    let scale = GGMLNumbers.Scale(statistics.amax / greatest, overflow: context.policy.overflow)
    fields[Field.scale, 0] = scale.code
    fields.encodeMultiplier = GGMLNumbers.reciprocal(scale.used)
  }

  /// Encodes the block's values with the reciprocal of d.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    guard !multiplier.isNaN else {
      fields.fill(Field.codes, with: codeOfZero)
      return
    }
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
    GGMLNumbers.decode(fields, context, into: &values)
  }
}

extension GGMLAmaxFormat: FactoredFormat {}

extension GGMLAmaxFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let most = ExactNumber.text(Double(greatest))
    return [
      ExactNumber.float32Steps,
      "d       = fl(amax / \(most)), stored in fp16, to nearest even",
      "i       = fl(1 / d), of d before it is stored; 0 where d = 0 or i is infinite",
      "code    = \(element.name) of fl(x * i), rounded, within -\(most)...\(most)",
      "decoded = q * d",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(codeOfZero, element))",
    ]
  }

  /// fl(x · i).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    Double(block.values[position].scaled(by: block.trace.encodeMultiplier))
  }
}
