extension ScaledFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    return [
      ExactNumber.float32Steps,
      "S       = min(fl(\(most) / amax), FLT_MAX); 1 where amax = 0",
      "stored scale = min(fl(1 / S), FLT_MAX)",
      "code    = \(element.name) of fl(x * S), rounded",
      "decoded = fl(q * stored scale)",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(element.nanCode ?? 0, element))",
    ]
  }

  /// fl(x · S).
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    Double(block.values[position].scaled(by: block.trace.encodeMultiplier))
  }

  /// A row for each rule.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] {
    scaleRules.map { rule in
      let trace = block.encoded(by: rule)
      return ScaleCandidate(
        name: rule.id, isChosen: block.policy.scaleRule == rule,
        facts: [
          .init("multiplier", "Multiplier S", .real(Double(trace.encodeMultiplier))),
          .init("scale", "Scale", .code(trace.codes[Field.scale][0], .fp32)),
        ], trace: trace)
    }
  }
}
