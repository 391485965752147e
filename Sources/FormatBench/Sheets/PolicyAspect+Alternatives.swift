import BlockFormats

extension PolicyAspect {
  /// Whether the choice is shown though nothing else can be chosen.
  var isAlwaysShown: Bool { self == .rounding }

  /// The ids of the other alternatives that make a difference for the format.
  ///
  /// Scale rules are those that the format says it can follow; of roundings, signs of zeros and orders of
  /// arithmetic all are listed, since what they change is rare. Of the rest, an
  /// alternative makes a difference if a special case is stored in other bytes.
  func alternatives(for format: any BlockFormat) -> [String] {
    guard format.follows(self) else { return [] }
    let policy = format.defaultPolicy
    let others = variants(of: policy, scaleRules: format.scaleRules)
    switch self {
    case .scaleRule:
      let ids = others.map(\.scaleRule.id)
      let plain = ids.filter { !$0.hasPrefix("search(") }
      return plain + (plain.count < ids.count ? ["search(RULE)"] : [])
    case .rounding:
      return RoundingRule.deterministic.filter { $0 != policy.rounding }.map(\.id) + ["stochastic"]
    case .zeroSign, .scaleArithmetic: return others.map { chosen(in: $0).id }
    case .overflow, .nonFinite, .scaleFloor, .zeroBlock:
      return others.filter { differs($0, from: policy, for: format) }.map { chosen(in: $0).id }
    }
  }

  /// Whether two policies store a special case in different bytes.
  private func differs(
    _ other: EncodingPolicy, from policy: EncodingPolicy, for format: any BlockFormat
  ) -> Bool {
    SpecialCase.probes.contains { values in
      let tensor = Tensor(values)
      return tensor.quantized(to: format, policy: policy).storedBytes
        != tensor.quantized(to: format, policy: other).storedBytes
    }
  }
}
