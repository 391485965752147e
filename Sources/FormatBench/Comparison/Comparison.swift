import BlockFormats
import FormatMetrics

/// Formats under policies, measured on tensors one after another, with totals.
struct Comparison {
  /// A format with every choice made.
  struct Candidate {
    var format: any BlockFormat
    var policy: EncodingPolicy
    /// The rounding's name without the seed, which holds for the whole run.
    var rounding: String
  }

  /// What a candidate did to one tensor, or to all.
  struct Outcome {
    var errors = ErrorStatistics()
    var storedByteCount = 0

    /// Pools the outcome of another tensor: sums and counts add, maxima combine.
    mutating func merge(_ other: Outcome) {
      errors.merge(other.errors)
      storedByteCount += other.storedByteCount
    }

    /// Stored bits for an element; NaN without elements.
    var bitsPerElement: Double {
      errors.count == 0 ? .nan : 8 * Double(storedByteCount) / Double(errors.count)
    }
  }

  let candidates: [Candidate]
  let axis: Int
  let parallelism: Parallelism
  /// One outcome for each candidate, over all tensors measured so far.
  private(set) var totals: [Outcome]

  init(candidates: [Candidate], axis: Int, parallelism: Parallelism) {
    self.candidates = candidates
    self.axis = axis
    self.parallelism = parallelism
    totals = Array(repeating: Outcome(), count: candidates.count)
  }

  /// Measures every candidate on a tensor.
  ///
  /// - Returns: one outcome for each candidate.
  mutating func measure(_ tensor: Tensor) -> [Outcome] {
    let outcomes = candidates.map { candidate in
      measure(tensor, candidate.format, candidate.policy)
    }
    for (index, outcome) in outcomes.enumerated() { totals[index].merge(outcome) }
    return outcomes
  }

  private func measure(
    _ tensor: Tensor, _ format: some BlockFormat, _ policy: EncodingPolicy
  ) -> Outcome {
    let result = tensor.fakeQuantized(
      to: format, axis: axis, policy: policy, parallelism: parallelism)
    var errors = ErrorStatistics(
      original: tensor.elements, reconstruction: result.tensor.elements,
      parallelism: parallelism)
    errors.saturatedCount = result.tally.saturatedCount
    errors.blockCount = result.blockCount
    errors.exactBlockCount = result.exactBlockCount
    return Outcome(errors: errors, storedByteCount: result.storedByteCount)
  }
}

extension Comparison {
  /// The candidates of a sweep: every format under every rule that it has and every rounding.
  ///
  /// A format that has none of the rules asked for keeps its default rule.
  ///
  /// - Returns: the candidates, and the ids of formats that kept their rule against the request.
  static func candidates(
    formats: [any BlockFormat], scaleRules: [ScaleRule], roundings: [RoundingChoice],
    seed: UInt64, policy: (any BlockFormat) -> EncodingPolicy
  ) -> (candidates: [Candidate], withoutRule: [String]) {
    var candidates: [Candidate] = []
    var withoutRule: [String] = []
    for format in formats {
      let base = policy(format)
      let applicable = scaleRules.filter(format.scaleRules.contains)
      if !scaleRules.isEmpty && applicable.isEmpty { withoutRule.append(format.id) }
      for rule in applicable.isEmpty ? [base.scaleRule] : applicable {
        for rounding in roundings {
          var policy = base
          policy.scaleRule = rule
          policy.rounding = rounding.rule(seed: seed)
          candidates.append(
            Candidate(format: format, policy: policy, rounding: rounding.id))
        }
      }
    }
    return (candidates, withoutRule)
  }
}
