import NumericSupport

extension SharedExponentFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let scale = layout.fields[Field.scale].element
    let (encode, decode) = microexponents == nil ? ("-e", "e") : ("(t - e)", "(e - t)")
    var steps = ["2^e     = the scale rule's power of two, clamped to the values of \(scale.name)"]
    if let microexponents {
      let most = microexponents.greatest
      steps.append(
        "t       = min(max(e - e', 0), \(most)), e' by the same rule for each "
          + "\(microexponents.length) elements; \(most) where they are 0")
    }
    return steps + [
      "code    = \(element.name) of x * 2^\(encode), rounded once",
      "decoded = q * 2^\(decode)",
      "amax 0 stores scale \(ExactNumber.hex(0, scale)); a NaN block stores scale "
        + "\(ExactNumber.hex(scale.nanCode ?? 0, scale)) and codes "
        + ExactNumber.hex(element.nanCode ?? 0, element),
    ]
  }

  /// x · 2^(τ - e).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let shift =
      microexponents.map { Int(block.trace.codes[Field.subscales][position / $0.length]) } ?? 0
    let exponent = Int(block.number(0, of: Field.scale).exponent) - shift
    return Double(block.values[position]) * Double.scaled(1, byPowerOfTwo: -exponent)
  }

  /// A row for each power-of-two rule, and one for each exponent that a search tries.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] {
    PowerOfTwoRule.allCases.map { rule in
      candidate(
        rule.id, exponent: exponent(rule, block), block.encoded(by: .powerOfTwo(rule)),
        isChosen: block.policy.scaleRule == .powerOfTwo(rule))
    } + searchCandidates(block)
  }

  private func candidate(
    _ name: String, exponent: Int?, _ trace: BlockTrace, isChosen: Bool
  ) -> ScaleCandidate {
    ScaleCandidate(
      name: name, isChosen: isChosen,
      facts: [
        .init("exponent", "Exponent", exponent.map { .integer($0) } ?? .none),
        .init(
          "scale", "Scale",
          .code(trace.codes[Field.scale][0], layout.fields[Field.scale].element)),
      ], trace: trace)
  }

  /// The rule's exponent before any clamp; `nil` for zeros.
  private func exponent(_ rule: PowerOfTwoRule, _ block: ExplainedBlock) -> Int? {
    let amax = block.statistics.amax
    return amax > 0 ? rule.exponent(amax: amax, element: element) : nil
  }

  private func searchCandidates(_ block: ExplainedBlock) -> [ScaleCandidate] {
    guard case .search(let rule) = block.policy.scaleRule.as(PowerOfTwoScale.self),
      let middle = exponent(rule, block)
    else { return [] }
    var candidates = Self.searchedExponents(around: middle).map { exponent in
      let trace = block.encoded { setScale(exponent, block.values.span, rule, &$0) }
      return candidate(
        exponent == middle ? "search" : exponent < middle ? "search -1" : "search +1",
        exponent: exponent, trace, isChosen: false)
    }
    let chosen = candidates.firstIndex {
      $0.trace.codes[Field.scale] == block.trace.codes[Field.scale]
    }
    if let chosen { candidates[chosen].isChosen = true }
    return candidates
  }
}
