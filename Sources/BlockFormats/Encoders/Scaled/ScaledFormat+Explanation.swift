extension ScaledFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let policy = defaultPolicy
    let most = ExactNumber.text(Double(target(of: policy.scaleRule)))
    let isPowerOfTwo = policy.scaleRule == .amaxPowerOfTwo
    let arithmetic: [String] =
      switch policy.scaleArithmetic {
      case .multiply:
        [
          "S       = min(fl(\(most) / amax), FLT_MAX)"
            + (isPowerOfTwo ? ", rounded down to a power of two" : "") + "; 1 where amax = 0",
          "stored scale = min(fl(1 / S), FLT_MAX)",
          "code    = \(element.name) of fl(x * S), rounded",
        ]
      case .divide, .reciprocal, .quotient:
        [
          "stored scale s = fl(amax / \(most)), within 2^-128...FLT_MAX"
            + (isPowerOfTwo ? ", rounded up to a power of two" : "") + "; 1 where amax = 0",
          "code    = \(element.name) of "
            + (policy.scaleArithmetic == .reciprocal ? "fl(x * fl(1 / s))" : "fl(x / s)")
            + ", rounded",
        ]
      }
    return [ExactNumber.float32Steps] + arithmetic + [
      "decoded = fl(q * stored scale)",
      "a NaN block stores a NaN scale and codes \(ExactNumber.hex(element.nanCode ?? 0, element))",
    ]
  }

  /// What is rounded: x times S, or over the stored scale.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let scale = TensorScale(
      encode: block.trace.encodeMultiplier,
      decode: Float(bitPattern: block.trace.codes[Field.scale][0]))
    return Double(scaling(scale, block.policy.scaleArithmetic)(block.values[position]))
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
