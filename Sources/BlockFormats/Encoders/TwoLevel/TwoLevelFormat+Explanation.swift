extension TwoLevelFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] {
    let policy = defaultPolicy
    let scale = layout.fields[Field.scale].element
    let rule = policy.scaleRule
    let (tensor, wanted, scaled) = formulas(under: policy)
    var steps = [ExactNumber.float32Steps] + tensor
    steps.append("s       = \(scale.name), to nearest even and saturating, of \(wanted)")
    if rule.isFourOverSix {
      let targets = targets(of: rule).map { "1/\(ExactNumber.text(Double($0)))" }
      steps.append(
        "          tried with \(targets.joined(separator: " and ")); the smaller "
          + (rule == .fourOverSix ? "squared error" : "sum of absolute errors")
          + " wins, ties to the first")
    }
    return steps + scaled + [
      tensorScale == .float32
        ? "decoded = fl(fl(q * s) * stored tensor scale)" : "decoded = fl(q * s)",
      "a NaN block stores "
        + (scale.nanCode.map { "scale \(ExactNumber.hex($0, scale)) and codes 0" }
          ?? "codes 0 and makes the tensor scale NaN"),
    ]
  }

  /// The scale of the tensor, what is rounded to the scale of a block, and what to an element.
  private func formulas(
    under policy: EncodingPolicy
  ) -> (tensor: [String], wanted: String, scaled: [String]) {
    let most = ExactNumber.text(element.greatestFiniteMagnitude)
    let top = ExactNumber.text(Double(greatestScale(under: policy.scaleRule)))
    let multiplier = [
      "S       = min(fl(\(most) * \(top) / amax of the tensor), FLT_MAX); 1 where amax = 0",
      "stored tensor scale = min(fl(1 / S), FLT_MAX)",
    ]
    let quotient = [
      "g       = max(fl(amax of the tensor / (\(most) * \(top))), 2^-128); 1 where amax = 0",
      "stored tensor scale = g",
    ]
    func tensor(_ steps: [String], _ one: String) -> [String] {
      tensorScale == .float32 ? steps : ["\(one)       = 1"]
    }
    func code(of scaled: String) -> String {
      "code    = \(element.name) of \(scaled), rounded; all 0 where s = 0"
    }
    return switch policy.scaleArithmetic {
    case .multiply:
      (
        tensor(multiplier, "S"), "fl(amax of the block * fl(S * fl(1/\(most))))",
        [
          "r       = min(fl(1 / fl(s * min(fl(1 / S), FLT_MAX))), FLT_MAX)",
          code(of: "fl(x * r)"),
        ]
      )
    case .divide:
      (
        tensor(quotient, "g"), "fl(amax of the block / fl(\(most) * g))",
        [code(of: "fl(x / fl(s * g))")]
      )
    case .reciprocal:
      (
        tensor(quotient, "g"), "fl(fl(amax of the block / \(most)) / g)",
        [
          "r       = min(fl(fl(1 / g) / s), FLT_MAX)",
          code(of: "fl(x * r)"),
        ]
      )
    case .divideByQuotient:
      (
        tensor(multiplier, "S"), "fl(fl(amax of the block / \(most)) * S)",
        [code(of: "fl(x / fl(s / S))")]
      )
    }
  }

  /// What is rounded: x times or over what the scales make of it.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    let code = block.trace.codes[Field.scale][0]
    guard code != 0 else { return 0 }
    return Double(scaling(code, block)(block.values[position]))
  }

  /// Whether the block's own scale is zero.
  public func losesAllValues(of block: ExplainedBlock) -> Bool {
    block.number(0, of: Field.scale) == 0
  }

  /// What happens to the values of a block with a scale code above zero.
  private func scaling(_ code: UInt32, _ block: ExplainedBlock) -> ElementScaling {
    scaling(
      scale: Float(layout.fields[Field.scale].element.value(of: code)),
      tensorScale: block.tensorScale, block.policy.scaleArithmetic)
  }

  /// A row for each element value that the block's amax may map to.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] {
    let amax = block.statistics.amax
    var candidates = targets(of: block.policy.scaleRule).map { target in
      let policy = block.policy
      let factor = block.tensorScale.encode * (1 / target)
      let wanted =
        amax == 0
        ? 0
        : wantedScale(
          amax: amax, mappedTo: target, block.tensorScale, policy.scaleArithmetic)
      let code =
        amax == 0
        ? block.encoded(by: policy.scaleRule).codes[Field.scale][0]
        : scaleCode(
          amax: amax, mappedTo: target, tensorScale: block.tensorScale, policy)
      return ScaleCandidate(
        name: "amax to \(ExactNumber.text(Double(target)))", isChosen: false,
        facts: (policy.scaleArithmetic == .multiply
          ? [.init("factor", "fl(S*fl(1/target))", .real(Double(factor)))] : []) + [
          .init("wanted", "Before rounding", .real(Double(wanted))),
          .init("scale", "Scale", .code(code, layout.fields[Field.scale].element)),
          code == 0
            ? .init("multiplier", "Multiplier r", .real(.nan)) : scaling(code, block).fact,
        ], trace: block.encoded { $0[Field.scale, 0] = code })
    }
    let chosen = candidates.firstIndex {
      $0.trace.codes[Field.scale] == block.trace.codes[Field.scale]
    }
    if let chosen { candidates[chosen].isChosen = true }
    return candidates
  }
}

extension ElementScaling {
  /// The number that values are multiplied with, or divided by.
  fileprivate var fact: ScaleCandidate.Fact {
    switch self {
    case .multiplication(let factor): .init("multiplier", "Multiplier r", .real(Double(factor)))
    case .division(let divisor): .init("divisor", "Divisor", .real(Double(divisor)))
    }
  }
}
