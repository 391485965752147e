import BlockFormats

/// Under which choices of a policy a format runs in vector kernels, along either axis.
///
/// The bytes are the same either way; what has no vector form runs in the reference in Swift.
enum KernelCoverage: Equatable {
  /// Under every scale rule, rounding and overflow rule.
  case all
  /// Under none of them.
  case none
  /// Under all but those named: a choice, whatever the others, or several choices that meet.
  case allBut([String])

  /// Asks the library about every scale rule of the format with every rounding and overflow rule.
  init(of format: some BlockFormat) {
    let policies = Self.policies(of: format)
    let slow = policies.filter { policy in
      // What has a vector form never depends on sizes, so few elements do.
      [0, 1].contains { axis in
        TensorQuantizer(format: format, shape: [2, 3], axis: axis, policy: policy).kernelLevel
          == nil
      }
    }
    self.init(slow: slow, among: policies)
  }

  /// Sums up the policies that run in the reference.
  init(slow: [EncodingPolicy], among policies: [EncodingPolicy]) {
    guard !slow.isEmpty else {
      self = .all
      return
    }
    guard slow.count < policies.count else {
      self = .none
      return
    }
    var names: [String] = []
    var rest = slow
    for aspect in Self.aspects {
      var seen: Set<String> = []
      for name in slow.map({ Self.name(of: aspect, in: $0) }) where seen.insert(name).inserted {
        func has(_ policy: EncodingPolicy) -> Bool { Self.name(of: aspect, in: policy) == name }
        guard slow.count(where: has) == policies.count(where: has) else { continue }
        names.append(name)
        rest.removeAll(where: has)
      }
    }
    names += rest.map { policy in
      Self.aspects.map { Self.name(of: $0, in: policy) }.joined(separator: " with ")
    }
    self = .allBut(names)
  }

  /// The cell of a report.
  var text: String {
    switch self {
    case .all: "all"
    case .none: "none"
    case .allBut(let names): "all but " + names.joined(separator: ", ")
    }
  }

  private static let aspects: [PolicyAspect] = [.scaleRule, .rounding, .overflow]

  /// Every scale rule of a format with every rounding and overflow rule.
  static func policies(of format: some BlockFormat) -> [EncodingPolicy] {
    let roundings =
      format.follows(.rounding) ? RoundingRule.alternatives : [format.defaultPolicy.rounding]
    return format.scaleRules.flatMap { rule in
      roundings.flatMap { rounding in
        OverflowRule.allCases.map { overflow in
          var policy = format.defaultPolicy
          policy.scaleRule = rule
          policy.rounding = rounding
          policy.overflow = overflow
          return policy
        }
      }
    }
  }

  /// A choice's id, without the seed of a stochastic rounding.
  private static func name(of aspect: PolicyAspect, in policy: EncodingPolicy) -> String {
    if case .rounding = aspect, case .stochastic = policy.rounding { return "stochastic" }
    return aspect.chosen(in: policy).id
  }
}
