import CBlockKernels

@testable import BlockFormats

extension EmulationTable {
  /// The scale rules of the table: a format, and a policy with one of its rules.
  ///
  /// `FLOAT_RULE` and the others take a name and the rule's constants; two-level rules begin with
  /// the place of the scale's element.
  static var scaleLines: [String] {
    var lines = ["// Scale rules."]
    let shared: [SharedExponentFormat] = [.mxfp4, .mxfp8E4M3, .mxint8, .mx9, .mx4]
    for format in shared {
      for rule in PowerOfTwoRule.allCases {
        var policy = format.defaultPolicy
        policy.scaleRule = .powerOfTwo(rule)
        lines.append(line(format, policy, "\(format.id).\(rule.id)"))
      }
      var policy = format.defaultPolicy
      policy.zeroBlock = .one
      lines.append(line(format, policy, "\(format.id).zero_one"))
    }
    for format in [ScaledFormat.fp8(.e4m3fn, block: .row), .integer(bits: 8, block: .row)] {
      for rule in format.scaleRules {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        lines.append(line(format, policy, "\(format.id).\(rule.id)"))
      }
    }
    let ue5m3 = TwoLevelFormat.nvfp4(block: .vector(length: 16), scale: .ue5m3)
    for format in [TwoLevelFormat.nvfp4, ue5m3, .vsq()] {
      for floor in [ScaleFloor.unbounded, .leastNonzero, .leastNormal] {
        var policy = format.defaultPolicy
        policy.scaleFloor = floor
        if floor == .leastNormal { policy.zeroBlock = .one }
        // Any tensor scale will do; this one rounds.
        let tensor = TensorScale(encode: 2688 / 3.7, decode: 3.7 / 2688)
        lines.append(line(format, policy, "\(format.id).\(floor.id)", tensor))
      }
    }
    for chain in EmulationChain.all {
      lines.append(
        line(chain.format, chain.policy, "chain.\(chain.name)", chain.tensorScale))
    }
    return lines
  }

  private static func line(
    _ format: some KernelFormat, _ policy: EncodingPolicy, _ name: String,
    _ tensor: TensorScale = TensorScale(encode: 1, decode: 1)
  ) -> String {
    guard let scale = format.kernelScale(policy: policy),
      let element = element(of: format, policy)
    else { return "#error \(name) has no scale rule" }
    switch scale.taming(element) {
    case .shared(let rule, _):
      let fields = [
        hex(rule.product), "\(rule.offset)",
        "{\(hex(rule.threshold.0)), \(hex(rule.threshold.1))}", hex(rule.tame_limit),
        hex(rule.least_multiplier), "\(rule.zero_exponent)", "\(rule.bias)",
        "\(rule.greatest_code)", "\(rule.nan_code)",
        "\(rule.zero_code)", "\(rule.greatest_subscale)", "\(rule.is_unstepped)",
        "\(rule.plain_end)",
      ]
      return "SHARED_RULE(\"\(name)\", {\(fields.joined(separator: ", "))})"
    case .float(let rule):
      let fields = [
        hex(rule.greatest), hex(rule.tame_limit), hex(rule.least_multiplier),
        "\(rule.is_power_of_two)", hex(rule.unit), hex(rule.least),
      ]
      return "FLOAT_RULE(\"\(name)\", {\(fields.joined(separator: ", "))})"
    case .twoLevel(let rules, _):
      let element = elements.firstIndex { $0 == format.layout.factors?.scale?.element } ?? -1
      // With the tensor's scale, as KernelConstants has it.
      let constants =
        "\(hex(tensor.encode * rules[0].factor)), \(hex(tensor.encodeReciprocal)), "
        + "\(rules[0].floor_code), \(rules[0].zero_code), \(hex(rules[0].tame_limit)), "
        + hex(rules[0].least_multiplier)
      return "TWO_LEVEL_RULE(\"\(name)\", \(element), \(constants))"
    case .unscaled, .stored, .doubled:
      return "#error \(name) has no scale rule"
    }
  }

  /// The constants of a format's element under a policy, as plans have them.
  private static func element(of format: some KernelFormat, _ policy: EncodingPolicy) -> BKElement?
  {
    BKElement(
      format.layout.element,
      encoder: ElementEncoder(
        format.layout.element, rounding: policy.rounding, overflow: policy.overflow,
        nonFinite: policy.nonFinite),
      poison: format.poisonCode, scaling: format.kernelScaling)
  }
}
