/// ggml's NVFP4: E2M1 elements in blocks of 64 with an E4M3 scale for each 16.
///
/// With the part's largest magnitude amax:
///
/// 1. s = fl(amax / 6), one FP32 operation, and its code in E4M3: halves go up. From 2^-6 on, what rounds
///    to 256 or more becomes 448; below, the code is fl(512 · s + 0.5) without its fraction, at most 7, so
///    that 2^-6 itself is never reached from below.
/// 2. code = element of x / scale, exact, by the policy's rounding; 0 where the scale is 0.
///
/// A value decodes to q · scale, exact. A part with NaN stores the scale's NaN and codes 0; ggml decodes
/// that to zeros. By default ties go toward zero and no zero is negative, as in ggml.
///
/// A tensor's own scale, which other NVFP4 has, is a tensor of its own in GGUF files and multiplies there.
///
/// Source: ggml, `quantize_row_nvfp4_ref`.
public struct GGMLNVFP4Format: ComposedFormat, Hashable {
  /// The canonical id.
  public var id: String { "nvfp4_ggml" }
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout = BlockLayout(
    block: .vector(length: 64),
    fields: [
      .codes(.e2m1fn), StoredField("scales", .e4m3fn, .every(GGMLNVFP4Format.partLength)),
    ])
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(
    rounding: .toNearestOrTowardZero, scaleRule: .amax, zeroSign: .positive)
  /// ggml's blocks of 36 bytes.
  public var packings: [BlockPacking] { [.ggmlNVFP4] }

  /// The largest magnitude maps to 6.
  public var scaleRules: [ScaleRule] { [.amax] }

  /// Creates the format.
  public init() {}

  /// Elements have two zeros; scales follow no choice.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .rounding, .overflow, .nonFinite, .zeroSign: true
    case .scaleFloor, .zeroBlock, .scaleArithmetic: false
    }
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scales = 1
  }

  private static let partLength = 16
  private static let scaleFormat = ElementFormat.e4m3fn
  /// 256 in E4M3.
  private static let codeOf256: UInt32 = 0x78

  /// The code of a scale.
  static func scaleCode(amax: Float) -> UInt32 {
    let scale = amax / 6
    if scale < 0x1p-6 { return min(UInt32(scale * 512 + 0.5), 7) }
    let code = scaleFormat.code(for: Double(scale), rounding: .toNearestOrAway)
    return code < codeOf256 ? code : scaleFormat.greatestFiniteCode
  }

  /// Stores the scale of each part.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    for part in 0..<fields.count(of: Field.scales) {
      let range = GGMLNumbers.range(part, of: Self.partLength, in: values.count)
      let own = ValueStatistics(values.extracting(range))
      fields[Field.scales, part] =
        context.policy.poisons(own, element: element)
        ? Self.scaleFormat.nanCode ?? 0 : Self.scaleCode(amax: own.amax)
    }
  }

  /// Encodes the block's values with the scales in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    for position in values.indices {
      let scale = context.decoding.value(
        of: fields[Field.scales, position / Self.partLength], in: Field.scales)
      fields[Field.codes, position] =
        scale > 0
        ? context.code(
          for: Double(values[position]) / scale, at: position, tally: &fields.tally) : 0
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    for position in values.indices {
      let scale = context.value(
        of: fields[Field.scales, position / Self.partLength], in: Field.scales)
      values[position] =
        Float(context.elementValue(of: fields[Field.codes, position]) * scale)
        .canonicalNaN
    }
  }
}

extension GGMLNVFP4Format: ExplainedFormat {
  /// The formulas of the definition.
  public var steps: [String] {
    [
      "s       = e4m3fn of fl(amax of sixteen / 6), halves up; from 256 on 448",
      "          below 2^-6 its code is the integer part of fl(512 * fl(amax / 6) + 0.5), at most 7",
      "code    = \(element.name) of x / s, rounded; 0 where s = 0",
      "decoded = q * s",
      "sixteen with NaN store scale \(ExactNumber.hex(0x7F, .e4m3fn)) and codes 0",
    ]
  }

  /// x / s.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let scale = block.number(position / Self.partLength, of: Field.scales)
    return scale > 0 ? Double(block.values[position]) / scale : 0
  }
}

extension BlockPacking {
  /// Four bytes of scales, and eight of codes for each part, code j beside code j + 8.
  fileprivate static let ggmlNVFP4 = BlockPacking("ggml", streams: [("blocks", byteCount: 36)]) {
    field, index, bit in
    guard field == GGMLNVFP4Format.Field.codes else { return Place(bit: 8 * index + bit) }
    let (part, position) = index.quotientAndRemainder(dividingBy: 16)
    return Place(bit: 8 * (4 + 8 * part + position % 8) + 4 * (position / 8) + bit)
  }
}

extension BlockFormat where Self == GGMLNVFP4Format {
  /// ggml's NVFP4.
  public static var nvfp4GGML: Self { GGMLNVFP4Format() }
}
