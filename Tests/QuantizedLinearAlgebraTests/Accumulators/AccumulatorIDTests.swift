import QuantizedLinearAlgebra
import Testing

@Suite("Ids of accumulators")
struct AccumulatorIDTests {
  @Test("Every accumulator has the documented id, which parses back, and a summary of one line")
  func roundTrip() {
    let expected: [(Accumulator, String)] = [
      (.float32, "fp32"), (.exact, "exact"), (.bfloat16, "bf16"),
      (.alignedFixedPoint(fractionBits: 25), "bdr(f=25)"),
      (.alignedFixedPoint(fractionBits: 12, length: 128), "bdr(f=12,length=128)"),
      (
        .tensorCore(.hopperFP8Like), "tensor_core(group=32,f=13,rounding=truncate,promote=128)"
      ),
      (
        .tensorCore(
          TensorCoreModel(
            groupLength: 4, fractionBits: 3, rounding: .nearestEven, promotionInterval: 8)),
        "tensor_core(group=4,f=3,rounding=nearest_even,promote=8)"
      ),
    ]
    for (accumulator, id) in expected {
      #expect(accumulator.id == id)
      #expect(Accumulator(id: id) == accumulator)
      #expect(!accumulator.summary.contains("\n") && !accumulator.summary.isEmpty)
    }
    #expect(Set(expected.map(\.0.summary)).count == expected.count)
  }

  @Test("Aliases name the models that they stand for")
  func aliases() {
    #expect(Accumulator(id: "hopper_fp8_like") == .tensorCore(.hopperFP8Like))
    #expect(Accumulator(id: "bdr") == .alignedFixedPoint(fractionBits: 25))
    #expect(Accumulator.standard.allSatisfy { Accumulator(id: $0.id) == $0 })
    #expect(Accumulator.tensorCore(.hopperFP8Like).summary.contains("approximation"))
  }

  @Test("Ids with missing, unknown or impossible parameters name nothing")
  func malformed() {
    for id in [
      "", "FP32", "fp32 ", "bdr(", "bdr()", "bdr(f=0)", "bdr(f=33)", "bdr(f=25,length=0)",
      "bdr(f=25,length=65537)", "tensor_core",
      "tensor_core(group=0,f=13,rounding=truncate,promote=0)",
      "tensor_core(group=32,f=41,rounding=truncate,promote=128)",
      "tensor_core(group=32,f=13,rounding=up,promote=128)",
      "tensor_core(group=32,f=13,rounding=truncate,promote=100)",
      "tensor_core(group=32,f=13,rounding=truncate,promote=128) ",
    ] {
      #expect(Accumulator(id: id) == nil, "\(id)")
    }
  }
}
