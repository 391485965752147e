import BlockFormats
import FormatTestSupport
import Testing

@Suite("Where overflow saturates, what is finite stays finite")
struct FiniteValueTests {
  /// Elements whose largest value rounds beyond FP32 under its own scale, and some far from one.
  static let composedIDs = [
    "mx(element=float(e=3,m=1,bias=136,specials=none))",
    "mx(element=float(e=3,m=1,bias=8,specials=none))", "mx(element=e5m2fnuz,block=5)",
    "mx(element=int8)", "mx(element=mxint8_full,block=7)", "mx(element=e8m0fnu)",
    "int(bits=3,block=row)", "int(bits=6,block=16)", "int(bits=10,block=32)",
    "fp8(element=e3m4,block=row)", "fp8(element=e3m4,block=tensor)",
    "fp8(element=e4m3fn,block=3x5)", "fp8(element=bf16,block=row)",
    "scaled(element=e2m1fn,block=16,scale=bf16)",
    "scaled(element=e2m1fn,block=16,scale=bf16,tensor_scale=yes)",
    "scaled(element=e4m3fn,block=8,scale=float(e=11,m=2))",
    "scaled(element=int4,block=16,scale=float(e=7,m=1,bias=0,specials=fn))",
    "scaled(element=e2m1fn,block=16,scale=float(e=3,m=1,bias=136,specials=fn),tensor_scale=yes)",
    "bdr(m=7,k1=16,k2=2,d1=8,d2=1)", "bdr(m=3,k1=6,k2=3,d1=5,d2=3)", "float(e=11,m=2)",
    "float(e=9,m=6,bias=200)", "nvfp4(block=3x5)",
    "scaled(element=e2m1fn,block=2x8,scale=float(e=2,m=0,bias=-262,specials=fn))",
    "scaled(element=binary5p1sf,block=2x8,scale=float(e=2,m=0,bias=-262,specials=fn))",
    "scaled(element=float(e=6,m=7,bias=607,specials=none),block=tensor,"
      + "scale=float(e=9,m=4,specials=none),tensor_scale=yes)",
    "scaled(element=float(e=10,m=2,specials=none),block=3x5,"
      + "scale=float(e=10,m=2,specials=p3109),tensor_scale=yes)",
  ]

  static func composed() throws -> [any BlockFormat] {
    try composedIDs.map { try FormatCatalog.format(id: $0) }
  }

  private func values(_ format: some BlockFormat, _ count: Int, seed: Int) -> [Float] {
    var input = KernelInput(format.layout.element, seed: UInt64(seed))
    var values = input.block(.top, count)
    // Blocks of the largest numbers alone, and one with a small value among them.
    let first = Swift.min(8, count)
    for index in 0..<first {
      values[index] = [.greatestFiniteMagnitude, 1, -0x1.FFp127][index % 3]
    }
    return values
  }

  @Test("No rule, rounding or kernel makes an infinity or a NaN of finite values")
  func everyFormat() throws {
    for (number, format) in (FormatCatalog.all + (try Self.composed())).enumerated() {
      for (rule, scaleRule) in format.scaleRules.enumerated() {
        let roundings = KernelPolicies.roundings.enumerated().filter {
          Intensity.isDeep || ($0.offset + number + rule) % 10 == 0
        }
        for (turn, rounding) in roundings {
          var policy = format.defaultPolicy
          policy.scaleRule = scaleRule
          if format.follows(.rounding) { policy.rounding = rounding }
          policy.scaleFloor = ScaleFloor.allCases[turn % 4]
          let shape =
            turn % 2 == 0 ? KernelShape([2, 35]) : KernelShape([19, 4], axis: 0)
          let values = values(format, shape.count, seed: 100 * number + 10 * rule + turn)
          expectSameOnEveryLevel(values, shape, format: format, policy: policy)
          let decoded = Tensor(values, shape: shape.extents)
            .fakeQuantized(to: format, axis: shape.axis, policy: policy).tensor.elements
          if let index = decoded.indices.first(where: { !decoded[$0].isFinite }) {
            Issue.record(
              "\(format.id) \(policy.text): \(values[index]) decodes to \(decoded[index])")
          }
        }
      }
    }
  }

  @Test("Codes, scales and counts of saturated values are the reference's at the top of FP32")
  func reference() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (rule, scaleRule) in format.scaleRules.enumerated() {
        for turn in 0..<(Intensity.isDeep ? 20 : 2) {
          var policy = format.defaultPolicy
          policy.scaleRule = scaleRule
          policy.rounding = KernelPolicies.roundings[(number + rule + 3 * turn) % 10]
          policy.nonFinite = NonFiniteRule.allCases[(number + turn) % 4]
          policy.overflow = turn % 5 == 4 ? .special : .saturate
          var values = values(format, 66, seed: 7000 + 100 * number + 10 * rule + turn)
          if turn % 2 == 1 { values[50] = turn % 4 == 1 ? .infinity : -.infinity }
          expectReference(
            values, shape: [2, 33], axis: turn % 2, format: format, reference: reference,
            policy: policy)
        }
      }
    }
  }

  private struct Example {
    var id: String
    var rule: ScaleRule?
    var value: Float
    /// What it decodes to, and whether it counts as saturated.
    var decoded: Float
    var isSaturated = true
  }

  /// E4M3 keeps 240 · 2^120 where 256 · 2^120 would be 2^128, and so on.
  private static let examples = [
    Example(id: "mxfp8_e4m3", rule: .powerOfTwo(.rceil), value: 3.3895e38, decoded: 0x1.Ep127),
    Example(id: "mxfp8_e4m3", rule: .powerOfTwo(.even), value: -3.3895e38, decoded: -0x1.Ep127),
    Example(id: "mxfp8_e4m3", rule: .powerOfTwo(.ceil), value: 3.3895e38, decoded: 0x1.Ep127),
    Example(id: "mxfp8_e4m3", value: 3.3895e38, decoded: 0x1.Cp127),
    Example(id: "mxfp8_e5m2", rule: .powerOfTwo(.rceil), value: 0x1.Fp127, decoded: 0x1.Cp127),
    Example(id: "mxfp6_e2m3", rule: .powerOfTwo(.ceil), value: 0x1.Fp127, decoded: 0x1.Ep127),
    Example(id: "mxfp6_e3m2", rule: .powerOfTwo(.even), value: 0x1.Ep127, decoded: 0x1.Cp127),
    Example(id: "mxfp4", rule: .powerOfTwo(.rceil), value: 0x1.Cp127, decoded: 0x1.8p127),
    Example(
      id: "mxfp4", rule: .powerOfTwo(.rceil), value: 0x1.8p127, decoded: 0x1.8p127,
      isSaturated: false),
    Example(id: "mxint8_full", value: -.greatestFiniteMagnitude, decoded: -0x1.FCp127),
    Example(id: "int8_row", value: .greatestFiniteMagnitude, decoded: 0x1.FBF7Fp127),
    Example(
      id: "int(bits=3,block=row)", value: -.greatestFiniteMagnitude, decoded: -0x1.555556p127),
    Example(
      id: "fp8_e4m3_row", rule: .amaxPowerOfTwo, value: .greatestFiniteMagnitude, decoded: 0x1.Ep127
    ),
    Example(
      id: "scaled(element=e2m1fn,block=16,scale=bf16)", value: 0x1.FF8002p127,
      decoded: 0x1.56p127),
    Example(id: "float(e=11,m=2)", value: .greatestFiniteMagnitude, decoded: 0x1.Cp127),
  ]

  @Test("The largest code that stays finite is used, and the value counts as saturated")
  func examples() throws {
    for example in Self.examples {
      let format = try FormatCatalog.format(id: example.id)
      var policy = format.defaultPolicy
      if let rule = example.rule { policy.scaleRule = rule }
      let result = Tensor([example.value]).fakeQuantized(to: format, policy: policy)
      let text = "\(example.id) \(policy.scaleRule.id) \(example.value)"
      #expect(result.tensor.elements == [example.decoded], "\(text)")
      #expect(result.tally.saturatedCount == (example.isSaturated ? 1 : 0), "\(text)")
    }
  }

  /// The smallest magnitudes that lose their code to the limit, as FORMATS.md lists them.
  private static let thresholds: [(ids: [String], rules: [ScaleRule], magnitude: Float)] = {
    let upward: [ScaleRule] = [.powerOfTwo(.ceil), .powerOfTwo(.rceil), .powerOfTwo(.even)]
    let floor = ScaleRule.powerOfTwo(.floor)
    return [
      (["mxfp4"], upward, 0x1.Cp127),
      (["mxfp8_e5m2", "mxfp6_e3m2"], upward, 0x1.Ep127),
      (["mxfp6_e2m3"], upward, 0x1.Fp127),
      // Under `even` smaller values clip at 448 as everywhere.
      (["mxfp8_e4m3"], [.powerOfTwo(.ceil), .powerOfTwo(.rceil)], 0x1.Fp127),
      (["mxint8_full"], upward + [floor], -0x1.FEp127),
      (["fp8_e4m3_tensor", "fp8_e4m3_1x128"], [.amaxPowerOfTwo], 0x1.Fp127),
      (["int8_row", "int8_1x128"], [.amaxPowerOfTwo], 0x1.FC0002p127),
      (["scaled(element=e2m1fn,block=16,scale=bf16)"], [.amax], 0x1.FF8002p127),
    ]
  }()

  @Test("The smallest magnitudes that the limit changes are those of the table in FORMATS.md")
  func firstAffected() throws {
    for (ids, rules, magnitude) in Self.thresholds {
      for id in ids {
        let format = try FormatCatalog.format(id: id)
        for rule in rules {
          var policy = format.defaultPolicy
          policy.scaleRule = rule
          func saturated(_ value: Float) -> Int {
            Tensor([value]).fakeQuantized(to: format, policy: policy).tally.saturatedCount
          }
          #expect(saturated(magnitude) == 1, "\(id) \(rule.id)")
          let below = magnitude < 0 ? magnitude.nextUp : magnitude.nextDown
          #expect(saturated(below) == 0, "\(id) \(rule.id)")
        }
      }
    }
  }

  @Test("Overflow to special codes keeps its infinities beyond FP32, too")
  func special() {
    var policy = SharedExponentFormat.mxfp8E4M3.defaultPolicy
    (policy.scaleRule, policy.overflow) = (.powerOfTwo(.rceil), .special)
    let result = Tensor([3.3895e38, -1]).fakeQuantized(to: .mxfp8E4M3, policy: policy)
    #expect(result.tensor.elements == [.infinity, -0])
  }

  @Test("A finite value that its multiplier takes out of FP32 counts as saturated")
  func overflowingProducts() {
    for format: ScaledFormat in [.fp8(.e4m3fn, block: .tensor), .integer(bits: 8, block: .tensor)] {
      let values = Tensor([1e20, -3e38, .infinity, 1])
      var policy = format.defaultPolicy
      policy.nonFinite = .nanToZero
      let result = values.quantized(to: format, policy: policy, tensorScale: 0x1p-100)
      #expect(result.tally.saturatedCount == 3, "\(format.id)")
    }
  }
}
