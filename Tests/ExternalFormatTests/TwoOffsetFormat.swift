import BlockFormats

/// A format of somebody else's: integers of three bits between a lower offset for the first half of a
/// block and an upper one for the second, with one FP32 step.
///
/// A block has eight values; those at 0...3 are above `lower`, those at 4...7 below `upper`.
struct TwoOffsetFormat: ComposedFormat {
  let id = "two_offsets"
  let source = "this test"
  let layout = BlockLayout(
    block: .vector(length: 8),
    fields: [
      .codes(.unsignedInteger(bitCount: 3)),
      StoredField("steps", .fp32, .perBlock(1)),
      StoredField("lower", .bf16, .perBlock(1), role: .offset),
      StoredField("upper", .bf16, .perBlock(1), role: .offset),
    ])
  var defaultPolicy = EncodingPolicy(scaleRule: ScaleRule(Rule.spread))
  var scaleRules: [ScaleRule] { [ScaleRule(Rule.spread), ScaleRule(Rule.unit)] }

  /// Its own rules.
  enum Rule: String, ScaleRuleChoice {
    case spread
    case unit

    var id: String { rawValue }
    var meaning: String { self == .spread ? "a seventh of the range" : "one" }
  }

  func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard !statistics.containsNonFinite else {
      fields[1, 0] = Float.nan.bitPattern
      (fields[2, 0], fields[3, 0]) = (0, 0)
      return
    }
    var (least, largest) = (Float.infinity, -Float.infinity)
    for position in values.indices {
      (least, largest) = (min(least, values[position]), max(largest, values[position]))
    }
    let lower = ElementFormat.bf16.code(for: Double(least), rounding: .down)
    let upper = ElementFormat.bf16.code(for: Double(largest), rounding: .up)
    let range = ElementFormat.bf16.value(of: upper) - ElementFormat.bf16.value(of: lower)
    let step: Float =
      context.policy.scaleRule == ScaleRule(Rule.unit) || range == 0 ? 1 : Float(range / 7)
    fields[1, 0] = min(step, .greatestFiniteMagnitude / 8).bitPattern
    (fields[2, 0], fields[3, 0]) = (lower, upper)
  }

  func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    let step = context.decoding.value(of: fields[1, 0], in: 1)
    let lower = context.decoding.value(of: fields[2, 0], in: 2)
    let upper = context.decoding.value(of: fields[3, 0], in: 3)
    for position in values.indices {
      let value = Double(values[position])
      fields[0, position] =
        step.isNaN
        ? 0
        : context.code(
          for: (position < 4 ? value - lower : upper - value) / step, at: position,
          tally: &fields.tally)
    }
  }

  func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let step = context.value(of: fields[1, 0], in: 1)
    let lower = context.value(of: fields[2, 0], in: 2)
    let upper = context.value(of: fields[3, 0], in: 3)
    for position in values.indices {
      let distance = context.elementValue(of: fields[0, position]) * step
      values[position] = Float(position < 4 ? lower + distance : upper - distance)
    }
  }
}
