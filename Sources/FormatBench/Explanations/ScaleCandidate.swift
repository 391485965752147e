import BlockFormats
import CommandLineToolkit

/// A scale that a block has or might have had, with what it would have cost.
struct ScaleCandidate {
  /// A number on the way to the scale.
  struct Field {
    var key: String
    var title: String
    var value: Cell
  }

  var name: String
  var isChosen: Bool
  var fields: [Field]
  var trace: BlockTrace

  /// The values that the largest element value replaced.
  var clippedCount: Int
  /// The finite values that overflow made infinite or NaN.
  var overflowedCount: Int

  init(name: String, isChosen: Bool, fields: [Field], trace: BlockTrace, of block: BlockExplanation)
  {
    self.name = name
    self.isChosen = isChosen
    self.fields = fields
    self.trace = trace
    overflowedCount = block.overflowedCount(in: trace)
    clippedCount = trace.tally.saturatedCount - overflowedCount
  }
}

extension BlockExplanation {
  /// The finite values that were too large and have the code of an infinity or of NaN.
  func overflowedCount(in trace: BlockTrace) -> Int {
    guard trace.tally.saturatedCount > 0 else { return 0 }
    return values.indices.count { position in
      let value = values[position]
      // A negative value is below an unsigned element, not beyond its largest.
      return value.isFinite && (element.isSigned || value > 0)
        && !element.value(of: trace.codes[position]).isFinite
    }
  }
}

extension BlockExplanation {
  /// The scales that the format's rules give for the block; none without scale or in a NaN block.
  var candidates: [ScaleCandidate] {
    guard !isNaN else { return [] }
    switch format {
    case is SharedExponentFormat: return powerOfTwoCandidates + searchCandidates
    case is TwoLevelFormat: return branches
    case is ScaledFormat: return amaxCandidates
    default: return []
    }
  }

  private func encoded(by rule: ScaleRule) -> BlockTrace {
    var other = policy
    other.scaleRule = rule
    return format.trace(
      values, policy: other, tensorScale: tensorScale, firstIndex: firstIndex)
  }

  private func scaleField(_ trace: BlockTrace) -> ScaleCandidate.Field {
    .init(
      key: "scale", title: "Scale",
      value: .text(FieldText.scale(trace.scale, format.layout.scale ?? .fp32)))
  }

  // MARK: - Powers of two

  private var powerOfTwoCandidates: [ScaleCandidate] {
    PowerOfTwoRule.allCases.map { rule in
      let trace = encoded(by: .powerOfTwo(rule))
      return ScaleCandidate(
        name: rule.id, isChosen: policy.scaleRule == .powerOfTwo(rule),
        fields: [exponentField(ruleExponent(rule, of: values)), scaleField(trace)], trace: trace,
        of: self)
    }
  }

  private func exponentField(_ exponent: Int?) -> ScaleCandidate.Field {
    .init(key: "exponent", title: "Exponent", value: exponent.map(Cell.integer) ?? .text("none"))
  }

  /// The rule's exponent before any clamp; nil for zeros.
  private func ruleExponent(_ rule: PowerOfTwoRule, of values: some Sequence<Float>) -> Int? {
    let amax = values.filter(\.isFinite).map(\.magnitude).max() ?? 0
    return amax > 0 ? rule.exponent(amax: amax, element: element) : nil
  }

  /// The exponents that a search compares.
  private var searchCandidates: [ScaleCandidate] {
    guard case .search(let rule) = policy.scaleRule, let format = format as? SharedExponentFormat,
      let middle = ruleExponent(rule, of: values)
    else { return [] }
    let exponents = SharedExponentFormat.searchedExponents(around: middle)
    var candidates = exponents.map { exponent in
      let trace = format.trace(
        values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex,
        with: format.scales(forExponent: exponent, rule: rule, of: values))
      return ScaleCandidate(
        name: exponent == middle ? "search" : exponent < middle ? "search -1" : "search +1",
        isChosen: false, fields: [exponentField(exponent), scaleField(trace)], trace: trace,
        of: self)
    }
    let best = candidates.indices.first { candidates[$0].trace.scale == trace.scale }
    if let best { candidates[best].isChosen = true }
    return candidates
  }

  // MARK: - Two levels

  /// One row for each element value that the block's amax may map to.
  private var branches: [ScaleCandidate] {
    guard let format = format as? TwoLevelFormat else { return [] }
    var candidates = format.targets(of: policy.scaleRule).map { target in
      let factor = tensorScale.encode * (1 / target)
      let wanted = statistics.amax * factor
      let code =
        statistics.amax == 0
        ? encoded(by: policy.scaleRule).scale
        : format.scaleCode(
          amax: statistics.amax, mappedTo: target, tensorScale: tensorScale,
          floor: policy.scaleFloor)
      let trace = format.trace(
        values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex,
        with: .init(scale: code))
      return ScaleCandidate(
        name: "amax to \(ExactNumber.text(Double(target)))", isChosen: false,
        fields: [
          .init(
            key: "factor", title: "fl(S*fl(1/target))",
            value: .number(Double(factor))),
          .init(key: "wanted", title: "Before rounding", value: .number(Double(wanted))),
          scaleField(trace),
          .init(
            key: "multiplier", title: "Multiplier r",
            value: .number(code == 0 ? .nan : Double(twoLevelMultiplier(code)))),
        ], trace: trace, of: self)
    }
    let best = candidates.indices.first { candidates[$0].trace.scale == trace.scale }
    if let best { candidates[best].isChosen = true }
    return candidates
  }

  // MARK: - FP32 scales

  private var amaxCandidates: [ScaleCandidate] {
    format.scaleRules.map { rule in
      let trace = encoded(by: rule)
      return ScaleCandidate(
        name: rule.id, isChosen: policy.scaleRule == rule,
        fields: [
          .init(
            key: "multiplier", title: "Multiplier S",
            value: .number(Double(trace.encodeMultiplier))),
          scaleField(trace),
        ], trace: trace, of: self)
    }
  }
}
