/// ggml's Q4_1 and Q5_1: integers from 0 on with a scale and a minimum in FP16 for each block of 32.
///
/// With N = 2^n - 1, every step one FP32 operation:
///
/// 1. m = the least value; d = fl(fl(largest - m) / N).
/// 2. i = fl(1 / d); 0 where d is 0 or i is infinite.
/// 3. code = fl(fl(fl(x - m) · i) + 0.5), without its fraction, at most N.
/// 4. Stored: d and m in FP16, to nearest even.
///
/// A value decodes to fl(q · d + m); the product is exact. Codes follow from d and m before they are
/// rounded, and halves go up: the format follows no rounding rule of a policy.
///
/// Under `OverflowRule.saturate`, where FP16 does not hold d or m, m is the nearest number that it
/// holds, and d, found with that m, ends at 65504. A NaN block stores NaN in both, and codes 0. Where NaN
/// becomes +0, least and largest are found with that zero.
///
/// Source: ggml, `quantize_row_q4_1_ref` and `quantize_row_q5_1_ref`; the search that it makes with an
/// importance matrix is another rule.
public struct GGMLRangeFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(
    rounding: .toNearestOrUp, scaleRule: ScaleRule(AffineFormat.Rule.range))
  /// ggml's blocks of 20 or 24 bytes.
  public var packings: [BlockPacking] { [bytes.packing] }

  /// The range of the block.
  public var scaleRules: [ScaleRule] { [ScaleRule(AffineFormat.Rule.range)] }

  /// Creates a format.
  init(id: String, bits: Int, bytes: GGMLBytes) {
    self.id = id
    layout = BlockLayout(
      block: .vector(length: 32),
      fields: [
        .codes(.unsignedInteger(bitCount: bits)), .blockScale(.fp16),
        StoredField("mins", .fp16, .perBlock(1), role: .offset),
      ])
    self.bytes = bytes
    greatestCode = Float((1 << bits) - 1)
  }

  /// Rounding is a part of the definition.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    GGMLNumbers.followsAllButRounding(aspect)
  }

  private let bytes: GGMLBytes

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
    static let min = 2
  }

  let greatestCode: Float

  /// The step and the least value of a block, as codes are found with them.
  private struct Line {
    var step: Float
    var least: Float
  }

  /// The line of a block; NaN for one that the policy makes NaN.
  private func line(
    of values: Span<Float>, statistics: ValueStatistics, _ policy: EncodingPolicy
  ) -> Line {
    guard !policy.poisons(statistics, element: element) else {
      return Line(step: .nan, least: .nan)
    }
    var (least, largest) = (Float.infinity, -Float.infinity)
    for index in values.indices {
      let value = GGMLNumbers.number(values[index], policy.nonFinite)
      guard value.isFinite else { continue }
      if value < least { least = value }
      if value > largest { largest = value }
    }
    // Nothing but infinities.
    if least > largest { (least, largest) = (0, 0) }
    let line = Line(step: (largest - least) / greatestCode, least: least)
    let end = GGMLNumbers.greatestHalf
    guard policy.overflow == .saturate, line.step > end || least.magnitude > end else {
      return line
    }
    least = min(max(least, -end), end)
    return Line(step: min(max((largest - least) / greatestCode, 0), end), least: least)
  }

  /// Stores the step and the least value.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let line = line(of: values, statistics: statistics, context.policy)
    for (field, number) in [(Field.scale, line.step), (Field.min, line.least)] {
      fields[field, 0] = ElementFormat.fp16.code(
        for: Double(number), overflow: context.policy.overflow)
    }
  }

  /// Encodes the block's values, with the step and the least value before they were rounded.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let line = line(of: values, statistics: ValueStatistics(values), context.policy)
    for position in values.indices {
      let code = shifted(values[position], line, context.policy)
      if code >= greatestCode + 1 && values[position].isFinite { fields.tally.saturatedCount += 1 }
      fields[Field.codes, position] = UInt32(min(max(code, 0), greatestCode))
    }
  }

  /// What loses its fraction: fl(fl(fl(x - m) · i) + 0.5), or 0 where that is no number.
  private func shifted(_ value: Float, _ line: Line, _ policy: EncodingPolicy) -> Float {
    let difference = GGMLNumbers.number(value, policy.nonFinite) - line.least
    let code = difference * GGMLNumbers.reciprocal(line.step) + 0.5
    return code.isNaN ? 0 : code
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let step = Float(context.value(of: fields[Field.scale, 0], in: Field.scale))
    let least = Float(context.value(of: fields[Field.min, 0], in: Field.min))
    for position in values.indices {
      let product = Float(fields[Field.codes, position]) * step
      values[position] = (product + least).canonicalNaN
    }
  }
}

extension GGMLRangeFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let most = ExactNumber.text(Double(greatestCode))
    return [
      ExactNumber.float32Steps,
      "d, m    = fl(fl(largest - least) / \(most)), least; stored in fp16, to nearest even",
      "i       = fl(1 / d), of d before it is stored; 0 where d = 0 or i is infinite",
      "code    = fl(fl(fl(x - m) * i) + 0.5), of m before it is stored, without its fraction, "
        + "at most \(most)",
      "decoded = fl(q * d + m)",
      "a NaN block stores NaN and NaN, and codes 0",
    ]
  }

  /// fl(fl(fl(x - m) · i) + 0.5) - 0.5: the nearest integer, halves up.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let line = line(of: block.values.span, statistics: block.statistics, block.policy)
    return Double(shifted(block.values[position], line, block.policy)) - 0.5
  }
}
