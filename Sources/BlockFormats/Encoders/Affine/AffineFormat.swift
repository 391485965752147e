import CallerChecks

/// Unsigned integers with a factor and an offset for each group: MLX's affine quantization.
///
/// With N = 2^n - 1 and the least and largest value of the group, every step one FP32 operation:
///
/// 1. edge = the end of larger magnitude, the largest where both are equal;
///    step = max(fl(fl(largest - least) / N), 10^-7), negative where edge is the largest.
/// 2. k = edge / step, rounded to an integer, ties to even. Factor s = fl(edge / k) and offset b = edge;
///    s = step and b = 0 where k is 0.
/// 3. code = integer of fl(fl(x - b) / s), by the policy's rounding, within 0...N; 0 where that is 0/0.
///
/// Only then are s and b rounded to the format that stores them. A value decodes to fl(fl(q · s) + b), by
/// the stored numbers and never fused. So 0 and the edge are values where the group spans them.
///
/// Under `OverflowRule.saturate` a group whose numbers would leave FP32 is encoded as if it ended at
/// ±2^126, and one whose numbers FP16 does not hold as if it ended at ±65504. A NaN group stores a NaN factor and offset, and codes 0. Where NaN becomes +0, least and largest
/// are found with that zero.
///
/// Source: MLX, `mx.quantize` in mode affine (its CPU code; the one for GPUs rounds ties away).
public struct AffineFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// The range of the group.
  public var scaleRules: [ScaleRule] { [ScaleRule(Rule.range)] }

  /// The scale rules of affine groups.
  public enum Rule: String, ScaleRuleChoice {
    /// The values of a group span the codes, and its end of larger magnitude is one of them.
    case range

    /// The rule's name in options and reports.
    public var id: String { rawValue }
    /// The rule in a few words.
    public var meaning: String {
      "least and largest value of the block map to the ends of the codes"
    }
  }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - bits: bits of an element, 1...16.
  ///   - group: the elements that share a factor and an offset.
  ///   - scale: how both are stored.
  public init(id: String, source: String, bits: Int, group: Int, scale: ElementFormat) {
    self.id = id
    self.source = source
    layout = BlockLayout(
      block: .vector(length: group),
      fields: [
        .codes(.unsignedInteger(bitCount: bits)), .blockScale(scale),
        StoredField("biases", scale, .perBlock(1), role: .offset, singular: "bias"),
      ])
    defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(Rule.range))
  }

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
    static let bias = 2
  }

  static let leastStep: Float = 1e-7
  /// Twice this is within FP32, and so is what a half step more decodes to.
  private static let greatestEnd: Float = 0x1p126

  /// The factor and the offset of a group, as codes are found with them.
  struct Line: Hashable, Sendable {
    var scale: Float
    var bias: Float
  }

  /// The factor and the offset of a group; NaN for one that the policy makes NaN.
  func line(of values: Span<Float>, statistics: ValueStatistics, _ policy: EncodingPolicy) -> Line {
    guard !policy.poisons(statistics, element: element) else {
      return Line(scale: .nan, bias: .nan)
    }
    var (least, largest) = (Float.infinity, -Float.infinity)
    for index in values.indices {
      var value = values[index]
      if value.isNaN { value = policy.nonFinite.replacementOfNaN }
      guard value.isFinite else { continue }
      if value < least { least = value }
      if value > largest { largest = value }
    }
    // Nothing but infinities.
    if least > largest { (least, largest) = (0, 0) }
    let line = line(from: least, to: largest)
    // The stored numbers may be larger than those that codes are found with, or end before them.
    let reach = Float(layout.fields[Field.scale].element.greatestFiniteMagnitude)
    let isBeyond =
      reach < Self.greatestEnd && max(line.scale.magnitude, line.bias.magnitude) > reach
    guard policy.overflow == .saturate,
      isBeyond || !isFinite(line) || !isFinite(stored(line, policy))
    else { return line }
    let end = min(Self.greatestEnd, reach)
    return self.line(from: min(max(least, -end), end), to: min(max(largest, -end), end))
  }

  private func line(from least: Float, to largest: Float) -> Line {
    let startsAtLeast = least.magnitude > largest.magnitude
    let edge = startsAtLeast ? least : largest
    var step = (largest - least) / Float(element.greatestFiniteMagnitude)
    if step < Self.leastStep { step = Self.leastStep }
    if !startsAtLeast { step = -step }
    let count = (edge / step).rounded(.toNearestOrEven)
    return count == 0 ? Line(scale: step, bias: 0) : Line(scale: edge / count, bias: edge)
  }

  /// Whether every code decodes to a finite number.
  private func isFinite(_ line: Line) -> Bool {
    line.scale.isFinite
      && (Float(element.greatestFiniteMagnitude) * line.scale + line.bias).isFinite
  }

  /// The factor and the offset as they are stored.
  private func stored(_ line: Line, _ policy: EncodingPolicy) -> Line {
    let format = layout.fields[Field.scale].element
    func rounded(_ number: Float) -> Float {
      Float(format.value(of: format.code(for: Double(number), overflow: policy.overflow)))
    }
    return Line(scale: rounded(line.scale), bias: rounded(line.bias))
  }

  /// Stores the factor and the offset.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let line = line(of: values, statistics: statistics, context.policy)
    let stored = layout.fields[Field.scale].element
    for (field, number) in [(Field.scale, line.scale), (Field.bias, line.bias)] {
      fields[field, 0] = stored.code(for: Double(number), overflow: context.policy.overflow)
    }
  }

  /// Encodes the group's values, with the factor and the offset before they were rounded.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    let line = line(of: values, statistics: ValueStatistics(values), context.policy)
    guard !line.scale.isNaN else {
      fields.fill(Field.codes, with: 0)
      return
    }
    for position in values.indices {
      let scaled = Self.scaled(values[position], line, context.policy)
      fields[Field.codes, position] =
        scaled.isNaN
        ? 0 : context.code(for: Double(scaled), at: position, tally: &fields.tally)
    }
  }

  /// What is rounded to an integer; NaN values, where they are left, count as the policy says.
  static func scaled(_ value: Float, _ line: Line, _ policy: EncodingPolicy) -> Float {
    ((value.isNaN ? policy.nonFinite.replacementOfNaN : value) - line.bias) / line.scale
  }

  /// Decodes the group.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(context.value(of: fields[Field.scale, 0], in: Field.scale))
    let bias = Float(context.value(of: fields[Field.bias, 0], in: Field.bias))
    for position in values.indices {
      let product = Float(context.elementValue(of: fields[Field.codes, position])) * scale
      values[position] = (product + bias).canonicalNaN
    }
  }
}

extension AffineFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    return [
      ExactNumber.float32Steps,
      "edge    = the largest value or the least, whichever has the larger magnitude",
      "step    = max(fl(fl(largest - least) / \(most)), 10^-7), negative if edge is the largest",
      "k       = fl(edge / step), to the nearest integer, ties to even",
      "s, b    = fl(edge / k), edge; step, 0 where k = 0; stored as \(layout.fields[1].element.name)",
      "code    = \(element.name) of fl(fl(x - b) / s), rounded",
      "decoded = fl(fl(q * s) + b)",
      "a NaN block stores NaN and NaN, and codes 0",
    ]
  }

  /// fl(fl(x - b) / s).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let line = line(of: block.values.span, statistics: block.statistics, block.policy)
    let scaled = Self.scaled(block.values[position], line, block.policy)
    return scaled.isNaN ? 0 : Double(scaled)
  }
}
