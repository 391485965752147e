import CallerChecks
import NumericSupport

/// MXFP4 in blocks of 16 below a second scale in [1, 2) for each 128: overflow-aware scaling with macro
/// block scales.
///
/// A value is q · 2^e · m: q an element in E2M1, e the exponent of the E8M0 scale of its 16 neighbours, and
/// m = 1 + M / 256 with a code M of eight bits for 128 of them. Decoding is exact where FP32 holds the
/// product. Encoding:
///
/// 1. M is the upper eight bits of the fraction field of fl(amax / 1.5), amax over the finite values of
///    the 128. With m, the largest magnitude comes to 1.5 · 2^k, or to less than 1/256 more, which is 6 in
///    units of 2^(k - 2).
/// 2. y = fl(x / m), one FP32 division.
/// 3. e for each 16 by the policy's power-of-two rule, by default `oas`, from their largest y, clamped to
///    the values of E8M0; 2^-127 where they are all zero.
/// 4. code = element of y · 2^-e, rounded once.
///
/// `CodeLimit` keeps decoded values finite. A NaN block stores M = 0, E8M0's NaN in all its scales, and
/// codes 0.
///
/// No producer stores these bytes; the paper's results are emulated, and the public emulation (in the
/// repository of RaZeR) rounds ties away from zero and its results to BF16.
///
/// Source: arXiv 2603.08713.
public struct MacroBlockFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public var id: String { "mxfp4_oas_mbs" }
  /// The defining document.
  public var source: String { "arXiv 2603.08713" }
  /// What the format stores.
  public let layout = BlockLayout(
    block: .vector(length: 128),
    fields: [
      .codes(.e2m1fn), StoredField("scales", .e8m0fnu, .every(16), role: .opaque),
      StoredField("macro_scales", .fractionOfEight, .perBlock(1), role: .opaque),
    ])
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(scaleRule: .powerOfTwo(.overflowAware))

  /// Every power-of-two rule.
  public var scaleRules: [ScaleRule] { PowerOfTwoRule.allCases.map(ScaleRule.powerOfTwo) }

  /// Creates the format.
  public init() {}

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scales = 1
    static let macro = 2
  }

  private static let groupLength = 16
  private static let scaleFormat = ElementFormat.e8m0fnu

  private func group(_ index: Int, _ count: Int) -> Range<Int> {
    index * Self.groupLength..<min((index + 1) * Self.groupLength, count)
  }

  /// m of a code.
  private static func macroScale(_ code: UInt32) -> Float { 1 + Float(code) / 256 }

  /// Chooses the scale of the 128 and those of its parts.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.macro, 0] = 0
      fields.fill(Field.scales, with: Self.scaleFormat.nanCode ?? 0)
      return
    }
    guard case .rule(let rule) = context.policy.scaleRule.as(PowerOfTwoScale.self) else {
      refuse("\(id) has no scale rule \(context.policy.scaleRule.id)")
    }
    let macro = (statistics.amax / 1.5).bitPattern >> 15 & 0xFF
    fields[Field.macro, 0] = macro
    for index in 0..<fields.count(of: Field.scales) {
      let amax = ValueStatistics(values.extracting(group(index, values.count))).amax
      fields[Field.scales, index] = scaleCode(amax / Self.macroScale(macro), rule)
    }
  }

  private func scaleCode(_ amax: Float, _ rule: PowerOfTwoRule) -> UInt32 {
    guard amax > 0 else { return 0 }
    let code = rule.exponent(amax: amax, element: element) + 127
    return UInt32(min(max(code, 0), Int(Self.scaleFormat.greatestFiniteCode)))
  }

  /// Encodes the block's values with the scales in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let macro = Self.macroScale(fields[Field.macro, 0])
    for index in 0..<fields.count(of: Field.scales) {
      let code = fields[Field.scales, index]
      let range = group(index, values.count)
      guard code != Self.scaleFormat.nanCode else {
        for position in range { fields[Field.codes, position] = 0 }
        continue
      }
      let exponent = Int(code) - 127
      let multiplier = Double.scaled(1, byPowerOfTwo: -exponent)
      let scale = Double.scaled(Double(macro), byPowerOfTwo: exponent)
      let limit = context.codeLimit { Float($0 * scale) }
      for position in range {
        fields[Field.codes, position] = context.code(
          for: Double(values[position] / macro) * multiplier, at: position, limit: limit,
          tally: &fields.tally)
      }
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let macro = context.value(of: fields[Field.macro, 0], in: Field.macro)
    for index in 0..<fields.count(of: Field.scales) {
      let scale = macro * context.value(of: fields[Field.scales, index], in: Field.scales)
      for position in group(index, values.count) {
        let element = context.elementValue(of: fields[Field.codes, position])
        values[position] = Float(element * scale).canonicalNaN
      }
    }
  }
}

extension MacroBlockFormat: ExplainedFormat {
  /// The formulas of the definition.
  public var steps: [String] {
    [
      "M       = upper 8 bits of the fraction of fl(amax of the 128 / 1.5); m = 1 + M / 256",
      "y       = x / m, rounded to FP32",
      "2^e     = the scale rule's power of two for the largest y of 16, clamped to the values of e8m0fnu",
      "code    = \(element.name) of y * 2^-e, rounded once",
      "decoded = q * 2^e * m",
      "16 zeros store scale 0x00; a NaN block stores scales 0xFF, M = 0 and codes 0",
    ]
  }

  /// y · 2^-e.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let exponent = Int(block.trace.codes[Field.scales][position / Self.groupLength]) - 127
    let macro = Self.macroScale(block.trace.codes[Field.macro][0])
    return Double(block.values[position] / macro) * Double.scaled(1, byPowerOfTwo: -exponent)
  }
}

extension ElementFormat {
  /// Eight fraction bits behind a one: 1...1.99609375.
  fileprivate static let fractionOfEight = ElementFormat(
    name: "1+8-bit", table: ValueTable((0..<256).map { 1 + Double($0) / 256 }))
}
