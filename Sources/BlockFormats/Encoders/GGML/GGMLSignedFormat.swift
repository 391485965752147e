/// ggml's Q4_0 and Q5_0: integers of n bits with a signed FP16 scale for each block of 32.
///
/// With L = 2^(n-1), every step one FP32 operation:
///
/// 1. m = the first value of the largest magnitude; d = fl(m / -L), so that m maps to -L.
/// 2. i = fl(1 / d); 0 where d is 0 or i is infinite.
/// 3. code = fl(fl(x · i) + L + 0.5), without its fraction, at most 2L - 1.
/// 4. Stored: d in FP16, to nearest even.
///
/// A value decodes to (q - L) · d, exact. A block of zeros stores -0, and so decodes to -0.
///
/// Codes follow from d before it is rounded, and halves go up, those that the sum in 3 makes included:
/// no rounding rule of a policy says that, so the format follows none. Under `OverflowRule.saturate` d stays within FP16. A NaN block stores a
/// NaN scale and codes L.
///
/// Source: ggml, `quantize_row_q4_0_ref` and `quantize_row_q5_0_ref`; the search that it makes with an
/// importance matrix is another rule.
public struct GGMLSignedFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(
    rounding: .toNearestOrUp, scaleRule: ScaleRule(GGMLRule.greatestToLeast))
  /// ggml's blocks of 18 or 22 bytes.
  public var packings: [BlockPacking] { [bytes.packing] }

  /// The first value of the largest magnitude maps to the least integer.
  public var scaleRules: [ScaleRule] { [ScaleRule(GGMLRule.greatestToLeast)] }

  /// Creates a format.
  init(id: String, bits: Int, bytes: GGMLBytes) {
    self.id = id
    layout = BlockLayout(
      block: .vector(length: 32),
      fields: [.codes(.offsetInteger(bitCount: bits)), .blockScale(.fp16)])
    self.bytes = bytes
    codeOfZero = 1 << (bits - 1)
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
  }

  private let codeOfZero: UInt32
  private var greatestCode: Float { Float(2 * codeOfZero - 1) }

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
    let scale = GGMLNumbers.Scale(
      GGMLNumbers.firstGreatest(of: values) / -Float(codeOfZero), overflow: context.policy.overflow)
    fields[Field.scale, 0] = scale.code
    fields.encodeMultiplier = GGMLNumbers.reciprocal(scale.used)
  }

  /// Encodes the block's values with the reciprocal of d.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let multiplier = fields.encodeMultiplier
    for position in values.indices {
      let value = values[position]
      let code = shifted(GGMLNumbers.number(value, context.policy.nonFinite), multiplier)
      // A NaN block, infinity times zero.
      guard !code.isNaN else {
        fields[Field.codes, position] = codeOfZero
        continue
      }
      let isClipped = code >= greatestCode + 1 || code < 0
      if isClipped && value.isFinite { fields.tally.saturatedCount += 1 }
      fields[Field.codes, position] = UInt32(min(max(code, 0), greatestCode))
    }
  }

  /// What loses its fraction: fl(fl(x · i) + L + 0.5).
  private func shifted(_ value: Float, _ multiplier: Float) -> Float {
    value * multiplier + (Float(codeOfZero) + 0.5)
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    GGMLNumbers.decode(fields, context, into: &values)
  }
}

extension GGMLSignedFormat: FactoredFormat {}

extension GGMLSignedFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    [
      ExactNumber.float32Steps,
      "m       = the first value of the largest magnitude",
      "d       = fl(m / -\(codeOfZero)), stored in fp16, to nearest even",
      "i       = fl(1 / d), of d before it is stored; 0 where d = 0 or i is infinite",
      "code    = fl(fl(x * i) + \(codeOfZero).5), without its fraction, at most \(2 * codeOfZero - 1)",
      "decoded = (code - \(codeOfZero)) * d",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(codeOfZero, element))",
    ]
  }

  /// fl(fl(x · i) + L + 0.5) - L - 0.5: the nearest integer, halves up.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let sum = shifted(
      GGMLNumbers.number(block.values[position], block.policy.nonFinite),
      block.trace.encodeMultiplier)
    return sum.isNaN ? 0 : Double(sum) - Double(codeOfZero) - 0.5
  }
}
