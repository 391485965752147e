import BlockFormats
import FormatTestSupport
import Testing

@Suite("Scale rules and default policies")
struct ScaleRuleTests {
  @Test("Every rule of the catalog has an id of its own and says what it does")
  func ids() {
    let rules = FormatCatalog.scaleRules
    #expect(Set(rules.map(\.id)).count == rules.count && Set(rules).count == rules.count)
    #expect(
      rules.allSatisfy { $0.id == $0.id.lowercased() && !$0.id.isEmpty && !$0.meaning.isEmpty })
    for id in [
      "none", "floor", "amax", "four_over_six", "range", "weighted_fit", "greatest_to_least",
      "seventh",
    ] {
      #expect(rules.contains { $0.id == id }, "\(id)")
    }
  }

  @Test("Rules are equal exactly where their ids are, whichever encoder lists them, and hash alike")
  func equality() {
    let rules = FormatCatalog.all.flatMap(\.scaleRules)
    for first in rules {
      for second in rules {
        #expect((first == second) == (first.id == second.id))
        if first == second { #expect(first.hashValue == second.hashValue) }
      }
    }
    // Two encoders of one rule, and two rules that share a raw value but no type.
    #expect(ScaledFormat.int8Row.scaleRules[0] == TwoLevelFormat.nvfp4.scaleRules[0])
    #expect(ScaleRule(Mine.amax) != .amax && ScaleRule(Mine.amax).id == ScaleRule.amax.id)
    #expect(Set([ScaleRule(Mine.amax), .amax, .amax]).count == 2)
    #expect(ScaleRule.amax.as(AmaxRule.self) == .amax && ScaleRule.amax.as(Mine.self) == nil)
  }

  @Test("A default policy is one of a format's rules, and `with` changes it and nothing else")
  func with() {
    func check(_ format: some ComposedFormat) {
      let other = format.with { $0.overflow = .special }
      #expect(other.isSame(as: format) && other.id == format.id)
      #expect(other.defaultPolicy == format.policy { $0.overflow = .special })
      #expect(
        other.defaultPolicy != format.defaultPolicy && format.defaultPolicy.overflow == .saturate)
      #expect(other.with { $0.overflow = .saturate }.defaultPolicy == format.defaultPolicy)
    }
    for format in FormatCatalog.all {
      #expect(format.scaleRules.contains(format.defaultPolicy.scaleRule), "\(format.id)")
      #expect(format.policy { _ in } == format.defaultPolicy, "\(format.id)")
      if let composed = format as? any ComposedFormat {
        check(composed)
      } else {
        Issue.record("\(format.id) takes no default policy")
      }
    }
  }

  @Test("A dialect encodes by its own default as the format does by that policy")
  func dialects() {
    let values = randomValues(200, exponents: -8...8, seed: 1)
    func check(_ format: some ComposedFormat) {
      for rule in format.scaleRules {
        let dialect = format.with { $0.scaleRule = rule }
        let expected = values.quantized(to: format, policy: format.policy { $0.scaleRule = rule })
        #expect(values.quantized(to: dialect) == expected, "\(format.id) \(rule.id)")
      }
    }
    for case let format as any ComposedFormat in FormatCatalog.all { check(format) }
    let rceil = SharedExponentFormat.mxfp4.with { $0.scaleRule = .powerOfTwo(.rceil) }
    #expect(values.quantized(to: rceil) != values.quantized(to: .mxfp4))
    #expect(rceil != .mxfp4 && rceil.isSame(as: SharedExponentFormat.mxfp4))
  }

  @Test(
    "A choice that a format does not follow changes nothing; rounding that it does not follow traps"
  )
  func unfollowed() async {
    let values = randomValues(300, exponents: -100...100, seed: 2) + [0, -0, .infinity]
    for format in FormatCatalog.all {
      let expected = values.quantized(to: format)
      for aspect in PolicyAspect.allCases where !format.follows(aspect) && aspect != .rounding {
        for alternative in aspect.alternatives(scaleRules: format.scaleRules) {
          var policy = format.defaultPolicy
          let hasChosen = aspect.choose(alternative.id, in: &policy, scaleRules: format.scaleRules)
          let found = values.quantized(to: format, policy: policy)
          #expect(
            hasChosen && found.planes == expected.planes && found.tally == expected.tally,
            "\(format.id) \(alternative.id)")
        }
      }
    }
    #if os(macOS) || os(Linux)
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [1].quantized(to: .q5_0, policy: GGMLSignedFormat.q5_0.policy { $0.rounding = .up })
    }
    #expect(reports(result, "q5_0 follows no rounding but its own, not up"))
    #endif
  }
}

/// A rule that shares its id with another encoder's.
private enum Mine: String, ScaleRuleChoice {
  case amax
  var id: String { rawValue }
  var meaning: String { "mine" }
}
