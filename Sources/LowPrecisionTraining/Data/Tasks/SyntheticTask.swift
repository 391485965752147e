public import TrainingRecipes

/// The generated data there is by name.
public enum SyntheticTask: String, NamedChoice {
  /// Text of a made-up language whose entropy is known.
  case corpus
  /// Pairs of a key and a value, then keys whose values are asked.
  case recall
  /// Words between blanks, to be written down in order.
  case copying
  /// What followed a token before follows it again.
  case induction
  /// The running result of a sum, modulo a small number.
  case arithmetic

  /// The fewest tokens of a sequence that the task fits in.
  public var leastContext: Int {
    switch self {
    case .corpus: 2
    case .recall: 2 * Self.recallPairs + 2
    case .copying: 2 * Self.wordsToCopy
    case .induction, .arithmetic: 3
    }
  }

  private static let recallPairs = 16
  private static let wordsToCopy = 16

  /// The source of a plan.
  ///
  /// - Precondition: the plan's context is at least `leastContext`.
  public func source(_ plan: BatchPlan) -> any TokenSource {
    switch self {
    case .corpus: SyntheticCorpus(plan: plan)
    case .recall: AssociativeRecall(pairCount: Self.recallPairs, plan: plan)
    case .copying: SelectiveCopying(wordsToCopy: Self.wordsToCopy, plan: plan)
    case .induction: InductionHeads(plan: plan)
    case .arithmetic: ModularArithmetic(plan: plan)
    }
  }
}
