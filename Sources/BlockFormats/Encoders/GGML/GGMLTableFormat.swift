/// ggml's IQ4_NL: sixteen integers at unequal distances with a signed FP16 scale for each block of 32.
///
/// With L = -127, the least value of the table, m = the first value of the largest magnitude and every step
/// one FP32 operation:
///
/// 1. `GGMLRule.factorFit`: d is the best factor of `GGMLFactorSearch.bestTrial`, with the first multiplier
///    fl(1 / fl(m / -L)), then fl((t + L) / m) for t = -7, -6, ... 7, and integers of the table.
///    r = fl(1 / d); 0 where d is 0 or r is infinite.
/// 2. `GGMLRule.firstFactor`: r = fl(1 / fl(m / L)), and d is the best factor for its codes alone.
/// 3. code = element of fl(x · r), by the policy's rounding, by default to nearest, ties up.
/// 4. Stored: d in FP16, to nearest even.
///
/// A value decodes to q · d, exact. No code stands for 0: zeros decode to d. A block whose largest magnitude
/// is below 10^-15 has d = 0 and the codes of zero.
///
/// Under `OverflowRule.saturate` d stays within FP16, and r follows from its end. A NaN block stores a NaN
/// scale and the codes of zero.
///
/// Source: ggml, `quantize_iq4_nl`, which writes files, for the first rule and `quantize_row_iq4_nl_ref` for
/// the second (which leaves the codes of zero blocks to chance); with an importance matrix it has other
/// weights.
public struct GGMLTableFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public var source: String { "ggml" }
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy = EncodingPolicy(
    rounding: .toNearestOrUp, scaleRule: ScaleRule(GGMLRule.factorFit))
  /// ggml's blocks of 18 bytes.
  public var packings: [BlockPacking] { [bytes.packing] }

  /// The best of several trials, and the first one.
  public var scaleRules: [ScaleRule] {
    [ScaleRule(GGMLRule.factorFit), ScaleRule(GGMLRule.firstFactor)]
  }

  /// Creates a format.
  init(id: String, element: ElementFormat, bytes: GGMLBytes) {
    self.id = id
    layout = BlockLayout(
      block: .vector(length: 32), fields: [.codes(element), .blockScale(.fp16)])
    self.bytes = bytes
    codeOfZero = element.code(for: 0)
    table = element.valueTable.map { Float($0) }
    // Rounded to nearest, a number has the upper neighbour from the midpoint on.
    midpoints = zip(table, table.dropFirst()).map { ($0 + $1) / 2 }
  }

  private let bytes: GGMLBytes

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  let codeOfZero: UInt32
  /// The integers in rising order, and what lies between them.
  private let table: [Float]
  private let midpoints: [Float]
  /// L.
  var least: Float { table[0] }

  /// How far t goes to either side; 0 where the first multiplier is the only one.
  func trialReach(of rule: ScaleRule) -> Int {
    rule.as(GGMLRule.self) == .firstFactor ? 0 : 7
  }

  /// Stores d, and hands on r.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = ElementFormat.fp16.nanCode ?? 0
      fields.encodeMultiplier = .nan
      return
    }
    let reach = trialReach(of: context.policy.scaleRule)
    let factor = factor(
      of: GGMLNumbers.finite(values, context.policy.nonFinite), trialReach: reach)
    let scale = GGMLNumbers.Scale(factor.scale, overflow: context.policy.overflow)
    fields[Field.scale, 0] = scale.code
    fields.encodeMultiplier =
      reach == 0 && scale.used == factor.scale
      ? factor.multiplier : GGMLNumbers.reciprocal(scale.used)
  }

  private func factor(of values: [Float], trialReach: Int) -> GGMLFactorSearch.Factor {
    let greatest = GGMLNumbers.firstGreatest(of: values.span)
    guard greatest.magnitude >= GGMLFactorSearch.leastMagnitude else {
      return GGMLFactorSearch.Factor(scale: 0, multiplier: 0, integers: [])
    }
    let isSearch = trialReach > 0
    let trials = (-trialReach...trialReach).map { (Float($0) + least) / greatest }
    let first = 1 / (isSearch ? -greatest / least : greatest / least)
    return GGMLFactorSearch.bestTrial(
      of: values[...], multipliers: isSearch ? [first] + trials : [first], order: .integerFirst
    ) { scaled in
      Int(table[midpoints.reduce(0) { $0 + (scaled >= $1 ? 1 : 0) }])
    }
  }

  /// Encodes the block's values with r.
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
      let scaled = GGMLNumbers.number(values[position], context.policy.nonFinite)
        .scaled(by: multiplier)
      // Infinity times zero.
      fields[Field.codes, position] =
        scaled.isNaN
        ? codeOfZero : context.code(for: Double(scaled), at: position, tally: &fields.tally)
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

extension GGMLTableFormat: FactoredFormat {}

extension GGMLTableFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let end = ExactNumber.text(Double(-least))
    return [
      ExactNumber.float32Steps,
      "m       = the first value of the largest magnitude",
      "factor_fit:   d = of the codes for \(end) / m and (t - \(end)) / m, t = -7, -6, ... 7, the factor "
        + "of least squared error weighted with x^2; r = fl(1 / d)",
      "first_factor: r = fl(1 / fl(m / -\(end))); d = such a factor for its codes",
      "stored scale = d in fp16, to nearest even",
      "code    = \(element.name) of fl(x * r), rounded",
      "decoded = q * d",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(codeOfZero, element))",
    ]
  }

  /// fl(x · r).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let scaled = GGMLNumbers.number(block.values[position], block.policy.nonFinite)
      .scaled(by: block.trace.encodeMultiplier)
    return scaled.isNaN ? 0 : Double(scaled)
  }
}
