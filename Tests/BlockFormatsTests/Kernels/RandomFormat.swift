import BlockFormats
import FormatTestSupport

/// Ids of formats drawn at random from the whole grammar, most of them valid.
struct RandomFormat {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A format, and a policy that it can follow.
  mutating func next() -> (format: any BlockFormat, policy: EncodingPolicy) {
    while true {
      // Ids outside what a family accepts are refused, and another is drawn.
      guard let format = try? FormatCatalog.format(id: id()) else { continue }
      var policy = format.defaultPolicy
      policy.scaleRule = pick(format.scaleRules)
      policy.rounding = pick(KernelPolicies.roundings)
      policy.overflow = integer(0...3) == 0 ? .special : .saturate
      policy.nonFinite = pick(NonFiniteRule.allCases)
      policy.scaleFloor = pick(ScaleFloor.allCases)
      policy.zeroBlock = pick(ZeroBlockRule.allCases)
      policy.zeroSign = integer(0...3) == 0 ? pick(ZeroSignRule.allCases) : .kept
      policy.scaleArithmetic = integer(0...3) == 0 ? pick(ScaleArithmetic.allCases) : .multiply
      return (format, policy)
    }
  }

  private mutating func id() -> String {
    switch integer(0...13) {
    case 0, 1: "mx(element=\(element()),block=\(integer(1...40)))"
    case 2:
      pick(["mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp4", "mxint8", "mxint8_full", "mxint2"])
        + "(block=\(integer(1...40)))"
    case 3:
      "bdr(m=\(integer(1...15)),k1=\(pick([6, 8, 16, 24, 32])),k2=\(pick([1, 2, 3, 4, 8])),"
        + "d1=\(integer(2...8)),d2=\(integer(1...8)))"
    case 4: "bfp(m=\(integer(1...15)),block=\(integer(1...40)),d1=\(integer(2...8)))"
    case 5:
      pick(["nvfp4", "nvfp4_4over6", "nvfp4_ue5m3", "nvfp4_ue5m3_61440"]) + "(block=\(block()))"
    case 6:
      "vsq(bits=\(integer(2...16)),block=\(integer(1...40)),scale_bits=\(integer(1...16)))"
    case 7: "fp8(element=\(element()),block=\(block()))"
    case 8: "int(bits=\(integer(2...16)),block=\(block()))"
    case 9, 10:
      "scaled(element=\(element()),block=\(block()),scale=\(element()),"
        + "tensor_scale=\(pick(["yes", "no"])))"
    case 12:
      "affine\(integer(2...8))(group=\(integer(1...80)),scale=\(pick(["fp32", "fp16", "bf16"])))"
    case 11: "nf4(block=\(pick([64, 32, integer(1...200)])))"
    default: element()
    }
  }

  /// An element, of any family; also the scale of a composed format.
  private mutating func element() -> String {
    switch integer(0...7) {
    case 0: return pick(ElementFormat.named.map(\.name))
    case 1: return pick(["mxint8", "mxint8_full", "mxint4", "mxint2"])
    case 2:
      let width = integer(3...16)
      return "binary\(width)p\(integer(1...width))\(pick(["s", "u"]))\(pick(["e", "f"]))"
    case 3: return "int\(integer(2...16))"
    case 4: return pick(["uint", "sm"]) + "\(integer(1...16))"
    case 5: return "e\(integer(2...8))m0fnu"
    default:
      let exponent = integer(1...11)
      let usual = (1 << (exponent - 1)) - 1
      let bias =
        pick([usual, usual, usual + integer(-3...3), integer(-140...140), integer(-512...1022)])
      return "float(e=\(exponent),m=\(integer(0...7)),bias=\(bias),"
        + "specials=\(pick(["none", "ieee", "fn", "top", "fnuz", "p3109"])),"
        + "signed=\(pick(["yes", "yes", "yes", "no"])))"
    }
  }

  private mutating func block() -> String {
    pick(["row", "tensor", "\(integer(1...40))", "16", "\(integer(1...9))x\(integer(1...9))"])
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &generator)
  }

  mutating func pick<Value>(_ values: [Value]) -> Value { values[integer(0...values.count - 1)] }
}
