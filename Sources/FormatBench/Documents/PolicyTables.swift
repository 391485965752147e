import BlockFormats
import CommandLineToolkit

/// Tables that set the choices of a policy side by side, computed by running the encoders.
enum PolicyTables {
  /// Every choice with its meaning.
  static var choices: SheetTable {
    var table = SheetTable([
      .init("choice", "Choice"), .init("id", "Id"), .init("meaning", "Meaning"),
    ])
    for aspect in PolicyAspect.allCases {
      for entry in aspect.alternatives(scaleRules: FormatCatalog.scaleRules) {
        // A stochastic rounding is told without its parameters.
        let id = entry.id.hasPrefix("stochastic") ? "stochastic" : entry.id
        table.append([.text(aspect.title), .text(id), .text(entry.meaning)])
      }
    }
    return table
  }

  /// The choices by which producers' codes and scales come.
  static var producers: SheetTable {
    var table = SheetTable([
      .init("producer", "Producer"), .init("name", "Its name"), .init("format", "Format"),
      .init("choices", "Choices besides the format's defaults"),
    ])
    for preset in ProducerPreset.all {
      table.append([
        .text(preset.producer), .text(preset.name), .text(preset.format.id),
        .text(ListCommand.choicesText(of: preset)),
      ])
    }
    return table
  }

  /// Values at and beside ties of E2M1 under every rounding without random bits.
  static var rounding: SheetTable {
    let values: [Double] = [0.25, 0.75, -0.75, 2.25, 2.5, -2.5, 3.5, 5, 5.5, -5.5, 7, -7]
    var table = SheetTable(
      [.init("rule", "Rounding")]
        + values.enumerated().map { .init("value_\($0)", ExactNumber.text($1), .right) })
    let element = ElementFormat.e2m1fn
    for rule in RoundingRule.deterministic {
      table.append(
        [.text(rule.id)]
          + values.map { .number(element.value(of: element.code(for: $0, rounding: rule))) })
    }
    return table
  }

  /// Values around and beyond the largest under both overflow rules.
  static var overflow: SheetTable {
    let elements: [ElementFormat] = [
      .e4m3fn, .e5m2, .e4m3fnuz, .e4m3, .e2m1fn, .e3m2fn, .int8, .mxint8(range: .full), .ue4m3,
    ]
    var table = SheetTable([
      .init("element", "Element"), .init("rule", "Overflow"),
      .init("last", "Last value that rounds to the largest", .right),
      .init("next", "The next FP32 value", .right), .init("infinity", "+Inf", .right),
      .init("minus_infinity", "-Inf", .right), .init("nan", "NaN", .right),
    ])
    for element in elements {
      let last = lastInRange(of: element)
      for rule in OverflowRule.allCases {
        func result(_ value: Double) -> Cell {
          .number(element.value(of: element.code(for: value, overflow: rule)))
        }
        table.append([
          .text(element.name), .text(rule.id), .number(Double(last)), result(Double(last.nextUp)),
          result(.infinity), result(-.infinity), result(.nan),
        ])
      }
    }
    return table
  }

  /// The largest FP32 value that does not overflow, by bisection over bit patterns.
  private static func lastInRange(of element: ElementFormat) -> Float {
    var low = Float(element.greatestFiniteMagnitude).bitPattern
    var high = Float.greatestFiniteMagnitude.bitPattern
    while low + 1 < high {
      let middle = low + (high - low) / 2
      let overflows = element.overflows(
        Double(Float(bitPattern: middle)), rounding: .toNearestOrEven)
      if overflows { high = middle } else { low = middle }
    }
    return Float(bitPattern: low)
  }

  /// A block with a NaN and one with an infinity under every rule, for one format of each kind.
  static var nonFinite: SheetTable {
    let formats: [any BlockFormat] = [
      SharedExponentFormat.mxfp8E4M3, SharedExponentFormat.mxfp4, TwoLevelFormat.nvfp4,
      ScaledFormat.fp8(.e4m3fn, block: .tensor), ScaledFormat.int8Row,
      CastFormat.cast(to: .e4m3fn), CastFormat.cast(to: .e2m1fn),
    ]
    let inputs: [[Float]] = [[1, .nan, -0.5], [1, -.infinity, -0.5]]
    var table = SheetTable(
      [.init("format", "Format"), .init("rule", "Rule")]
        + inputs.enumerated().map { .init("input_\($0)", FieldText.list($1)) })
    for format in formats {
      for rule in NonFiniteRule.allCases {
        var policy = format.defaultPolicy
        policy.nonFinite = rule
        let isDefault = rule == format.defaultPolicy.nonFinite
        table.append(
          [.text(format.id), .text(rule.id + (isDefault ? " (default)" : ""))]
            + inputs.map { .text(EncodedVector($0, as: format, policy: policy).decodedText) })
      }
    }
    return table
  }

  /// The exponents of the power-of-two rules for a few largest magnitudes.
  static var scaleRules: SheetTable {
    let amaxes: [Float] = [4, 5, 6, 6.5, 7, 7.9]
    let elements: [ElementFormat] = [.e2m1fn, .e4m3fn, .mxint8]
    var table = SheetTable(
      [.init("element", "Element"), .init("rule", "Rule")]
        + amaxes.enumerated().map {
          .init("amax_\($0)", "amax \(ExactNumber.text(Double($1)))", .right)
        })
    for element in elements {
      for rule in PowerOfTwoRule.allCases {
        table.append(
          [.text(element.name), .text(rule.id)]
            + amaxes.map { .integer(rule.exponent(amax: $0, element: element)) })
      }
    }
    return table
  }

  /// The worked block under every power-of-two rule.
  static var scaleRuleBlocks: SheetTable {
    let formats: [SharedExponentFormat] = [.mxfp8E4M3, .mxfp4, .mxint8]
    var table = SheetTable([
      .init("format", "Format"), .init("rule", "Rule"), .init("scale", "Scale"),
      .init("codes", "Codes"), .init("decoded", "Decoded"),
      .init("error", "Squared error", .right),
    ])
    for format in formats {
      for rule in PowerOfTwoRule.allCases.map(ScaleRule.powerOfTwo) + [.search(around: .floor)] {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        let encoded = EncodedVector(FormatSheet.workedValues, as: format, policy: policy)
        let trace = format.trace(FormatSheet.workedValues, policy: policy)
        table.append([
          .text(format.id), .text(rule.id), .text(encoded.text(of: "scales")),
          .text(encoded.text(of: "codes")),
          .text(encoded.decodedText), .text(NumberStyle.general.text(trace.squaredError)),
        ])
      }
    }
    return table
  }

  /// The scale bytes of tiny and zero NVFP4 blocks under every floor and zero-block rule.
  static var zeroBlocks: SheetTable {
    let format = TwoLevelFormat.nvfp4
    let length = format.layout.block.elementCount ?? 1
    let values =
      [Float](repeating: 1, count: length) + [Float](repeating: 1e-7, count: length)
      + [Float](repeating: 0, count: length)
    var table = SheetTable([
      .init("floor", "Scale floor"), .init("zero", "Zero block"),
      .init("large", "Scale of ones"), .init("tiny", "Scale of 1e-7"),
      .init("zeros", "Scale of zeros"),
    ])
    for floor in ScaleFloor.allCases {
      for zero in ZeroBlockRule.allCases {
        var policy = format.defaultPolicy
        policy.scaleFloor = floor
        policy.zeroBlock = zero
        let scales = EncodedVector(values, as: format, policy: policy).codes(of: "scales")
        table.append(
          [.text(floor.id), .text(zero.id)]
            + scales.map { .text(FieldText.scale($0, .e4m3fn)) })
      }
    }
    return table
  }

  /// A block of NVFP4 step by step.
  static var nvfp4Steps: String {
    let values: [Float] = [
      0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -1, 1.1, -1.2, 1.3, -1.4, 1.5, -1.6,
      0, 0.01, 0.02, -0.03, 0.04, 0.05, -0.06, 0.07, 0.08, -0.09, 0.1, 0.11, -0.12, 0.13, 0.14,
      -0.15,
    ]
    let format = TwoLevelFormat.nvfp4
    let explanation = Explanation(of: values, as: format, policy: format.defaultPolicy)
    return SheetMarkdown.text(of: explanation.sections, level: 0)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast().joined(separator: "\n")
  }
}
