import BlockFormats
import FormatTestSupport
import Testing

@Suite("Orders of scale arithmetic")
struct ScaleArithmeticTests {
  @Test(
    "Finite values stay finite under every order and rule, whatever the element's largest value",
    arguments: [
      "scaled(element=table(values=(-0.5,0,0.5)),block=4,scale=fp32)",
      "scaled(element=table(values=(-0.001,0,0.001)),block=16,scale=e4m3fn,tensor_scale=yes)",
      "scaled(element=float(e=2,m=1,bias=300,specials=none),block=4,scale=e4m3fn,tensor_scale=yes)",
      "nvfp4", "fp8_e5m2_tensor", "int8_row", "vsq",
    ])
  func finite(id: String) throws {
    let format = try FormatCatalog.format(id: id)
    let inputs: [[Float]] = [
      [3e38, 1, 0, -1], [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0x1p-149, 0],
      [0x1.5p-130, -0x1p-149, 0, 0x1.5p-130], [0x1p-130, 0x1p-149, -0x1p-127, 0],
    ]
    for arithmetic in ScaleArithmetic.allCases {
      for rule in format.scaleRules {
        for values in inputs {
          let policy = format.policy { ($0.scaleArithmetic, $0.scaleRule) = (arithmetic, rule) }
          let decoded = values.quantized(to: format, policy: policy).dequantized().elements
          #expect(
            decoded.allSatisfy { $0.isFinite }, "\(arithmetic) \(rule.id) \(values): \(decoded)")
        }
      }
    }
  }

  @Test("Every order divides and multiplies as it says")
  func orders() {
    // 0.37: fl(448 / 0.37) is 1210.8108, whose reciprocal is not fl(0.37 / 448).
    let values: [Float] = [0.37, -0.1]
    func scale(_ arithmetic: ScaleArithmetic) -> Float {
      let format = ScaledFormat.fp8(.e4m3fn, block: .tensor)
      let tensor = values.quantized(
        to: format, policy: format.policy { $0.scaleArithmetic = arithmetic })
      return Float(bitPattern: tensor.scales.unpacked()[0])
    }
    #expect(scale(.multiply) == 1 / (448 / Float(0.37)))
    for arithmetic in [ScaleArithmetic.divide, .reciprocal, .quotient] {
      #expect(scale(arithmetic) == Float(0.37) / 448)
    }
    func tensorScale(_ arithmetic: ScaleArithmetic) -> Float? {
      let format = TwoLevelFormat.nvfp4
      return values.quantized(
        to: format, policy: format.policy { $0.scaleArithmetic = arithmetic }
      ).tensorScale
    }
    #expect(tensorScale(.multiply) == 1 / (2688 / Float(0.37)))
    #expect(tensorScale(.divide) == Float(0.37) / 2688)
    #expect(tensorScale(.reciprocal) == Float(0.37) / 2688)
    #expect(tensorScale(.quotient) == 1 / (2688 * (1 / Float(0.37))))
  }

  @Test("NaN that becomes the largest value ends where codes of its block do")
  func limitedNaN() {
    let format = AbsmaxFormat.lut(values: [-31, 0, 31], block: .vector(length: 4))
    let policy = format.policy { $0.nonFinite = .nanToMax }
    let values: [Float] = [.greatestFiniteMagnitude, .nan, 0, 0]
    let decoded = values.quantized(to: format, policy: policy).dequantized().elements
    #expect(decoded.allSatisfy { $0.isFinite })
  }

  @Test("A table without a value of at most half its largest is refused with both numbers")
  func smallValues() {
    #expect(
      throws: FormatNameError.badValue(
        "2.5", of: "the least magnitude of values",
        expected: "at most half the largest of them, 3.0")
    ) {
      try FormatCatalog.format(id: "lut(values=(-3,-2.5,2.5,3),block=4)")
    }
    #expect(throws: Never.self) {
      try FormatCatalog.format(id: "lut(values=(-3,-1.5,1.5,3),block=4)")
    }
  }
}
