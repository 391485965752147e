/// One of the choices that a policy is made of: the list that files, recipes, reports, documents and
/// coders follow.
public enum PolicyAspect: String, Hashable, Sendable, CaseIterable {
  /// `EncodingPolicy.scaleRule`.
  case scaleRule = "scale_rule"
  /// `EncodingPolicy.rounding`.
  case rounding
  /// `EncodingPolicy.overflow`.
  case overflow
  /// `EncodingPolicy.nonFinite`.
  case nonFinite = "non_finite"
  /// `EncodingPolicy.scaleFloor`.
  case scaleFloor = "scale_floor"
  /// `EncodingPolicy.zeroBlock`.
  case zeroBlock = "zero_block"
  /// `EncodingPolicy.zeroSign`.
  case zeroSign = "zero_sign"
  /// `EncodingPolicy.scaleArithmetic`.
  case scaleArithmetic = "scale_arithmetic"

  /// The name in files and reports, such as `scale_floor`.
  public var key: String { rawValue }

  /// The name in words.
  public var title: String {
    self == .nonFinite ? "non-finite" : rawValue.split(separator: "_").joined(separator: " ")
  }

  /// What is chosen.
  public var purpose: String {
    switch self {
    case .scaleRule: "how scales follow from values"
    case .rounding: "how elements are rounded"
    case .overflow: "what becomes of values beyond the largest"
    case .nonFinite: "what becomes of NaN and infinities"
    case .scaleFloor: "the smallest scale a block stores"
    case .zeroBlock: "the scale of a block of zeros"
    case .zeroSign: "the sign of zeros"
    case .scaleArithmetic: "the order in which scales are divided and multiplied"
    }
  }

  /// An alternative of a choice.
  public struct Alternative: Hashable, Sendable {
    /// Its name in options and files.
    public let id: String
    /// It in a few words.
    public let meaning: String
  }

  /// What a policy chooses.
  public func chosen(in policy: EncodingPolicy) -> Alternative {
    guard let access else {
      return Alternative(id: policy.scaleRule.id, meaning: policy.scaleRule.meaning)
    }
    return access.chosen(in: policy)
  }

  /// Chooses the alternative that an id names.
  ///
  /// - Parameters:
  ///   - id: the name of an alternative.
  ///   - policy: receives it.
  ///   - scaleRules: the rules to choose from, where this is the scale rule.
  /// - Returns: whether there is such an alternative.
  public func choose(
    _ id: String, in policy: inout EncodingPolicy, scaleRules: [ScaleRule]
  ) -> Bool {
    guard let access else {
      guard let rule = scaleRules.first(where: { $0.id == id }) else { return false }
      policy.scaleRule = rule
      return true
    }
    return access.choose(id, in: &policy)
  }

  /// Every alternative; those of the scale rule are the encoders'.
  ///
  /// - Parameter scaleRules: the rules to list, where this is the scale rule.
  public func alternatives(scaleRules: [ScaleRule]) -> [Alternative] {
    access?.alternatives ?? scaleRules.map { Alternative(id: $0.id, meaning: $0.meaning) }
  }

  /// The policies that differ from one in this choice, those that follow from `alternatives`.
  package func variants(of policy: EncodingPolicy, scaleRules: [ScaleRule]) -> [EncodingPolicy] {
    alternatives(scaleRules: scaleRules).compactMap { alternative in
      var other = policy
      return choose(alternative.id, in: &other, scaleRules: scaleRules) && other != policy
        ? other : nil
    }
  }

  /// The field of the policy; `nil` for the scale rule, whose alternatives are the encoders'.
  private var access: Access? {
    switch self {
    case .scaleRule: nil
    case .rounding: Access(\.rounding)
    case .overflow: Access(\.overflow)
    case .nonFinite: Access(\.nonFinite)
    case .scaleFloor: Access(\.scaleFloor)
    case .zeroBlock: Access(\.zeroBlock)
    case .zeroSign: Access(\.zeroSign)
    case .scaleArithmetic: Access(\.scaleArithmetic)
    }
  }

  /// Reads and writes one field of a policy by text.
  private struct Access {
    let chosen: (EncodingPolicy) -> Alternative
    let choose: (String, inout EncodingPolicy) -> Bool
    let alternatives: [Alternative]

    init<Choice: PolicyChoice>(_ field: WritableKeyPath<EncodingPolicy, Choice>) {
      func alternative(_ choice: Choice) -> Alternative {
        Alternative(id: choice.id, meaning: choice.meaning)
      }
      chosen = { alternative($0[keyPath: field]) }
      choose = { id, policy in
        guard let choice = Choice(id: id) else { return false }
        policy[keyPath: field] = choice
        return true
      }
      alternatives = Choice.alternatives.map(alternative)
    }

    func chosen(in policy: EncodingPolicy) -> Alternative { chosen(policy) }

    func choose(_ id: String, in policy: inout EncodingPolicy) -> Bool { choose(id, &policy) }
  }
}
