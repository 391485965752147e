import BlockFormats

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

  /// The values that exceed the largest element value.
  var clippedCount: Int { trace.tally.saturatedCount }
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
        fields: [exponentField(ruleExponent(rule, of: values)), scaleField(trace)], trace: trace)
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

  /// The three exponents that a search compares.
  private var searchCandidates: [ScaleCandidate] {
    guard case .search(let rule) = policy.scaleRule, let scale = format.layout.scale,
      let middle = ruleExponent(rule, of: values)
    else { return [] }
    let least = Int(scale.value(of: 0).exponent)
    var candidates = [middle, middle - 1, middle + 1].map { exponent in
      let code = min(max(exponent - least, 0), Int(scale.greatestFiniteCode))
      let trace = format.trace(
        values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex,
        with: .init(scale: UInt32(code), subscales: subscales(below: code + least, rule)))
      return ScaleCandidate(
        name: exponent == middle ? "search" : exponent < middle ? "search -1" : "search +1",
        isChosen: false, fields: [exponentField(exponent), scaleField(trace)], trace: trace)
    }
    let best = candidates.indices.first { candidates[$0].trace.scale == trace.scale }
    if let best { candidates[best].isChosen = true }
    return candidates
  }

  /// The sub-scales under a block exponent, by the definition of `SharedExponentFormat`.
  private func subscales(below exponent: Int, _ rule: PowerOfTwoRule) -> [UInt32] {
    guard let layout = format.layout.subscale else { return [] }
    let most = (1 << layout.bitWidth) - 1
    return stride(from: 0, to: values.count, by: layout.length).map { first in
      let part = values[first..<min(first + layout.length, values.count)]
      guard let own = ruleExponent(rule, of: part) else { return UInt32(most) }
      return UInt32(min(max(exponent - own, 0), most))
    }
  }

  // MARK: - Two levels

  /// One row for each element value that the block's amax may map to.
  private var branches: [ScaleCandidate] {
    let scale = format.layout.scale ?? .e4m3fn
    let isBranching = policy.scaleRule == .fourOverSix
    let targets =
      isBranching ? TwoLevelNumbers.branchTargets : [Float(element.greatestFiniteMagnitude)]
    var candidates = targets.map { target in
      let factor = tensorScale.encode * (1 / target)
      let wanted = statistics.amax * factor
      let code =
        isBranching && target != targets[0]
        ? floored(scale.code(for: Double(wanted)), scale) : encoded(by: .amax).scale
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
        ], trace: trace)
    }
    let best = candidates.indices.first { candidates[$0].trace.scale == trace.scale }
    if let best { candidates[best].isChosen = true }
    return candidates
  }

  private func floored(_ code: UInt32, _ scale: ElementFormat) -> UInt32 {
    switch policy.scaleFloor {
    case .unbounded: code
    case .leastNonzero: max(code, 1)
    case .leastNormal: max(code, scale.leastNormalMagnitude.map { scale.code(for: $0) } ?? 1)
    }
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
        ], trace: trace)
    }
  }
}
