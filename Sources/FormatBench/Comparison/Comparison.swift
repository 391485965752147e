import BlockFormats
import CommandLineToolkit
import FormatMetrics
import TensorFiles
import UntrustedText

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

  /// An element that is NaN or infinite before any format has seen it.
  struct NonFiniteElement: CustomStringConvertible {
    var tensor: String
    /// One number for each axis.
    var index: [Int]
    var value: Float

    /// Such as `w[3, 0] is inf`.
    var description: String { "\(printable(tensor))\(index) is \(value)" }
  }

  let candidates: [Candidate]
  let axis: Int
  let parallelism: Parallelism
  /// One outcome for each candidate, over all tensors measured so far.
  private(set) var totals: [Outcome]
  /// One outcome for each candidate, over the tensors so far whose elements all are finite.
  ///
  /// One NaN makes every total over all tensors NaN, and a format may spread it over a whole block,
  /// so such tensors are left out whole.
  private(set) var finiteTotals: [Outcome]
  /// The number of tensors that `finiteTotals` covers.
  private(set) var finiteTensorCount = 0
  /// The number of tensors that it leaves out.
  private(set) var nonFiniteTensorCount = 0
  /// The first element that is not finite, of the first tensor with one.
  private(set) var firstNonFinite: NonFiniteElement?
  /// For each candidate, the number of tensors with blocks that are shorter than others.
  private(set) var shortBlockCounts: [Int]
  /// What a format makes of a piece; kept from tensor to tensor.
  private var scratch: [Float] = []

  init(candidates: [Candidate], axis: Int, parallelism: Parallelism) {
    self.candidates = candidates
    self.axis = axis
    self.parallelism = parallelism
    totals = Array(repeating: Outcome(), count: candidates.count)
    finiteTotals = totals
    shortBlockCounts = Array(repeating: 0, count: candidates.count)
  }

  /// Measures every candidate on a tensor.
  ///
  /// - Returns: one outcome for each candidate.
  mutating func measure(_ item: ComparisonInput.Item) throws(CommandError) -> [Outcome] {
    let measurement = try TensorMeasurement(item, self, scratch: &scratch)
    let outcomes = measurement.outcomes
    for (index, outcome) in outcomes.enumerated() { totals[index].merge(outcome) }
    for (index, candidate) in candidates.enumerated()
    where candidate.format.layout.leavesShortBlocks(in: item.shape, axis: axis) {
      shortBlockCounts[index] += 1
    }
    // The square of a Float is finite in Double, and so is any sum of them that fits in memory.
    if outcomes.allSatisfy(\.errors.sumOfSquares.isFinite) {
      finiteTensorCount += 1
      for (index, outcome) in outcomes.enumerated() { finiteTotals[index].merge(outcome) }
    } else {
      nonFiniteTensorCount += 1
      firstNonFinite =
        firstNonFinite
        ?? measurement.firstNonFinite.map { index, value in
          NonFiniteElement(
            tensor: item.name, index: Self.index(index, in: item.shape), value: value)
        }
    }
    return outcomes
  }

  /// The index for each axis of an element counted row-major.
  private static func index(_ position: Int, in shape: [Int]) -> [Int] {
    var rest = position
    let index = shape.reversed().map { extent in
      defer { rest /= extent }
      return rest % extent
    }
    return index.reversed()
  }
}

extension Comparison {
  /// The candidates of a sweep: every format under every rule that it has and every rounding.
  ///
  /// A format that has none of the rules asked for keeps its default rule; where no rounding is asked
  /// for, or rounding is a part of its definition, it keeps its own.
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
        var ruled = base
        ruled.scaleRule = rule
        guard format.follows(.rounding), !roundings.isEmpty else {
          let own = format.follows(.rounding) ? ruled.rounding.id : "own"
          candidates.append(Candidate(format: format, policy: ruled, rounding: own))
          continue
        }
        for rounding in roundings {
          var policy = ruled
          policy.rounding = rounding.rule(seed: seed)
          candidates.append(
            Candidate(format: format, policy: policy, rounding: rounding.id))
        }
      }
    }
    return (candidates, withoutRule)
  }
}
