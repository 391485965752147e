/// ggml's Q3_K and Q6_K: integers of n bits with factors on two levels.
///
/// A block of 256 has sixteen parts of 16. With the part's integer s and the block's D in FP16, a value
/// decodes to fl((D · s) · q); the first product is exact. q is within -L...L - 1, with L = 2^(n-1), and s
/// within -S...S - 1: S is 32 in Q3_K, 128 in Q6_K. `GGMLFactorSearch` finds the factor of each part, from
/// f₀ = -L by the part's first value of the largest magnitude; then, every step one FP32 operation:
///
/// 1. F = the first factor of the largest magnitude; f = fl(-S / F).
/// 2. s = fl(f · factor), to the nearest integer, ties to even, at most S - 1.
/// 3. Stored: D = fl(1 / f) in FP16, to nearest even.
/// 4. q = fl(x / (D · s)), to the nearest integer, ties to even, within -L...L - 1; where D · s is 0, what
///    the search found, and -L in a part of zeros.
///
/// Where F is 0, in Q6_K below 10^-15, D is 0, s is 0 in Q6_K and -S in Q3_K, and q is -L in Q6_K and in
/// parts of zeros. So zeros decode to -0 in Q6_K, as they do in ggml.
///
/// Rounding is a part of the definition, so the format follows no other. Under `OverflowRule.saturate` D
/// stays within FP16, f is fl(1 / D), and a part that needs more has s -S or S - 1. A NaN block stores NaN
/// in D and the bits 0 elsewhere.
///
/// Source: ggml, `quantize_row_q3_K_ref` and `quantize_row_q6_K_ref`. A compiler that fuses its
/// multiplications and additions makes other bytes of it; the search that it makes with an importance
/// matrix is another rule.
public struct GGMLFactorFormat: ComposedFormat, Hashable {
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

  /// The search of the format.
  public var scaleRules: [ScaleRule] { [ScaleRule(search.rule)] }

  /// How factors of parts are found.
  enum Search: Hashable, Sendable {
    /// Of 19 first multipliers, fl(-(L + t) / m) with t = 0 and then -0.9, -0.8, ... 0.9, the best.
    case trials
    /// From one first multiplier on, codes changed one at a time.
    case descent

    var rule: GGMLRule {
      switch self {
      case .trials: .factorFit
      case .descent: .factorDescent
      }
    }
  }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - bits: bits of a code.
  ///   - part: how the integers s are stored.
  ///   - partReach: S.
  ///   - search: how factors of parts are found.
  ///   - bytes: those of ggml's blocks.
  init(
    id: String, bits: Int, part: ElementFormat, partReach: Int, search: Search,
    bytes: GGMLBytes
  ) {
    self.id = id
    layout = BlockLayout(
      block: .vector(length: 256),
      fields: [
        .codes(.offsetInteger(bitCount: bits)),
        StoredField("scales", part, .every(Self.partLength)),
        StoredField("block_scales", .fp16, .perBlock(1)),
      ])
    self.bytes = bytes
    self.search = search
    reach = 1 << (bits - 1)
    self.partReach = partReach
    defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(search.rule))
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
    static let blockScale = 2
  }

  private static let partLength = 16
  private let search: Search
  /// L.
  private let reach: Int
  /// S.
  private let partReach: Int

  /// Stores the numbers of the block and of its parts, and leaves the codes of the search.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    fields.fill(Field.codes, with: 0)
    fields.fill(Field.scales, with: 0)
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.blockScale, 0] = ElementFormat.fp16.nanCode ?? 0
      return
    }
    let values = GGMLNumbers.finite(values, context.policy.nonFinite)
    let factors = (0..<fields.count(of: Field.scales)).map { part in
      factor(of: values[GGMLNumbers.range(part, of: Self.partLength, in: values.count)])
    }
    var greatest: Float = 0
    for factor in factors where factor.scale.magnitude > greatest.magnitude {
      greatest = factor.scale
    }
    fields[Field.blockScale, 0] = 0
    let isZero =
      switch search {
      case .trials: greatest.magnitude < GGMLFactorSearch.leastMagnitude
      case .descent: greatest == 0
      }
    if !isZero { store(factors.map(\.scale), greatest, context.policy, fields) }
    guard !isZero || search == .descent else { return }
    for (part, factor) in factors.enumerated() {
      for (index, integer) in factor.integers.enumerated() {
        fields[Field.codes, part * Self.partLength + index] = UInt32(integer + reach)
      }
    }
  }

  /// The factor of a part; integers -L and the factor 0 for zeros.
  private func factor(of values: ArraySlice<Float>) -> GGMLFactorSearch.Factor {
    var greatest: Float = 0
    for value in values where value.magnitude > greatest.magnitude { greatest = value }
    guard greatest.magnitude >= GGMLFactorSearch.leastMagnitude else {
      return GGMLFactorSearch.Factor(
        scale: 0, multiplier: 0, integers: values.map { _ in -reach })
    }
    let (first, range) = (-Float(reach) / greatest, -reach...reach - 1)
    switch search {
    case .descent:
      return GGMLFactorSearch.descent(of: values, multiplier: first, range: range)
    case .trials:
      let trials = (-9...9).filter { $0 != 0 }.map { trial -> Float in
        -(Float(reach) + 0.1 * Float(trial)) / greatest
      }
      return GGMLFactorSearch.bestTrial(
        of: values, multipliers: [first] + trials, order: .valueFirst
      ) { min(max(GGMLNumbers.nearestInteger($0), range.lowerBound), range.upperBound) }
    }
  }

  /// Stores the factors of parts as integers and the number of the block that they multiply.
  private func store(
    _ factors: [Float], _ greatest: Float, _ policy: EncodingPolicy, _ fields: BlockFields
  ) {
    var multiplier = -Float(partReach) / greatest
    let unit = GGMLNumbers.Scale(1 / multiplier, overflow: policy.overflow)
    fields[Field.blockScale, 0] = unit.code
    if unit.used != 1 / multiplier { multiplier = 1 / unit.used }
    let format = layout.fields[Field.scales].element
    for (part, factor) in factors.enumerated() {
      let scaled = min(max(multiplier * factor, -Float(partReach)), Float(partReach - 1))
      fields[Field.scales, part] = format.code(
        for: Double(GGMLNumbers.nearestInteger(scaled)))
    }
  }

  /// Encodes the block's values with what is stored.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let unit = Float(context.decoding.value(of: fields[Field.blockScale, 0], in: Field.blockScale))
    guard !unit.isNaN else { return }
    let finite = GGMLNumbers.finite(values, context.policy.nonFinite)
    for part in 0..<fields.count(of: Field.scales) {
      let scale = unit * partNumber(part, fields, context.decoding)
      guard scale != 0 else { continue }
      for position in GGMLNumbers.range(part, of: Self.partLength, in: values.count) {
        let quotient = finite[position] / scale
        let end = Float(reach)
        let isClipped = quotient >= end - 0.5 || quotient < -end - 0.5
        if isClipped && values[position].isFinite { fields.tally.saturatedCount += 1 }
        let nearest = GGMLNumbers.nearestInteger(min(max(quotient, -end), end - 1))
        fields[Field.codes, position] = UInt32(nearest + reach)
      }
    }
  }

  private func partNumber(
    _ part: Int, _ fields: BlockFields, _ context: borrowing DecodingContext
  ) -> Float {
    Float(context.value(of: fields[Field.scales, part], in: Field.scales))
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let unit = Float(context.value(of: fields[Field.blockScale, 0], in: Field.blockScale))
    for part in 0..<fields.count(of: Field.scales) {
      let scale = unit * partNumber(part, fields, context)
      for position in GGMLNumbers.range(part, of: Self.partLength, in: values.count) {
        let element = Float(context.elementValue(of: fields[Field.codes, position]))
        values[position] = (scale * element).canonicalNaN
      }
    }
  }
}

extension GGMLFactorFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let found =
      switch search {
      case .trials:
        "of the codes for -(\(reach) + t) / m, t = 0, -0.9, -0.8, ... 0.9, that of least squared "
          + "error weighted with x^2"
      case .descent:
        "of the codes for -\(reach) / m, each changed while that makes the squared error weighted "
          + "with x^2 less, up to 5 times"
      }
    return [
      ExactNumber.float32Steps,
      "m       = the part's first value of the largest magnitude",
      "factor  = \(found)",
      "F       = the first factor of the largest magnitude",
      "f       = fl(-\(partReach) / F); D = fl(1 / f), stored in fp16, to nearest even",
      "s       = fl(f * factor), to the nearest integer, at most \(partReach - 1)",
      "q       = fl(x / (D * s)), to the nearest integer, ties to even, within "
        + "-\(reach)...\(reach - 1); the factor's where D * s = 0",
      "decoded = fl((D * s) * q)",
      "a NaN block stores NaN in D, and zeros",
    ]
  }

  /// fl(x / (D · s)), or the integer of the search.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let scale =
      block.number(0, of: Field.blockScale)
      * block.number(position / Self.partLength, of: Field.scales)
    guard scale != 0 else { return block.number(position, of: Field.codes) }
    let value = GGMLNumbers.finite(
      block.values[position], amax: block.statistics.amax, block.policy.nonFinite)
    return Double(value / Float(scale))
  }
}
