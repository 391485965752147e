import BlockFormats
import Testing

@testable import QuantizedCheckpoints

@Suite("Plans of formats")
struct BudgetPlanTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let formats: [any BlockFormat] = [
    SharedExponentFormat.mxfp4, TwoLevelFormat.nvfp4, SharedExponentFormat.mxfp8E4M3,
  ]

  private func checkpoint() throws -> ModelCheckpoint {
    let tensors = (0..<4).map { index in
      Stored(
        "layers.\(index).weight", [4, 64],
        values(256, seed: UInt64(index)).map { $0 * Float(1 << index) })
    }
    return try ModelCheckpoint(
      path: folder.write(
        safetensors(tensors + [Stored("norm.weight", [64], values(64))]), as: "a.safetensors"))
  }

  @Test(
    "Costs are the squared errors of what the formats decode to, and choices keep to the budget")
  func costs() throws {
    let checkpoint = try checkpoint()
    for bits in [4.25, 4.5, 5.0, 6.0, 8.25, 40, .infinity] {
      let plan = try checkpoint.budgetPlan(formats: Self.formats, bitsPerWeight: bits)
      #expect(plan.choices.map(\.name) == (0..<4).map { "layers.\($0).weight" })
      #expect(plan.bitsPerWeight <= bits)
      // The gap is a share of the bound. Four operations round, each by 2^-53 at most.
      #expect(plan.bound <= plan.cost && plan.gap >= 0)
      #expect(plan.bound * (1 + plan.gap) >= plan.cost * (1 - 0x1p-50))
      for choice in plan.choices {
        let tensor = try #require(checkpoint.tensor(named: choice.name)).dequantized()
        let decoded = tensor.quantized(to: choice.format).dequantized()
        let error = zip(tensor.elements, decoded.elements).reduce(0.0) { sum, pair in
          sum + (Double(pair.0) - Double(pair.1)) * (Double(pair.0) - Double(pair.1))
        }
        #expect(abs(choice.cost - error) <= 1e-9 * error)
        #expect(choice.elementCount == 256)
      }
      if bits > 8.25 {
        #expect(plan.choices.allSatisfy { $0.format.id == "mxfp8_e4m3" } && plan.gap == 0)
      }
    }
    for bits in [4.2, 0, -1, -.infinity, .nan] as [Double] {
      let error = #expect(throws: ModelCheckpointError.self) {
        try checkpoint.budgetPlan(formats: Self.formats, bitsPerWeight: bits)
      }
      #expect(error?.description.contains("4.25 that the smallest formats take") == true)
    }
  }

  @Test("A plan reads back as the formats that it names")
  func text() throws {
    let plan = try checkpoint().budgetPlan(formats: Self.formats, bitsPerWeight: 5)
    let file = try PlanFile(path: folder.write(plan.text, as: "plan.json"))
    #expect(file.formats.count == 4)
    for choice in plan.choices { #expect(file.formats[choice.name] == choice.format.id) }
    for text in [
      "[]", "{}", #"{"version":2,"tensors":{}}"#, #"{"version":1}"#, #"{"version":1,"tensors":[]}"#,
      #"{"version":1,"tensors":{"a":1}}"#, #"{"version":"1","tensors":{}}"#, "",
    ] {
      #expect(throws: ModelCheckpointError.self) {
        try PlanFile(path: folder.write(text, as: "plan.json"))
      }
    }
  }

  @Test("Weights multiply errors or stand in their place, and are refused where they cannot")
  func weights() throws {
    let checkpoint = try checkpoint()
    func plan(_ text: String) throws -> BudgetPlan {
      try checkpoint.budgetPlan(
        formats: Self.formats, bitsPerWeight: 5,
        weights: TensorWeights(path: folder.write(text, as: "w.json")))
    }
    let name = "layers.0.weight"
    let plain = try plan(#"{"version":1,"tensors":{}}"#)
    let doubled = try plan(
      #"{"version":1,"tensors":{\#((0..<4).map { "\"layers.\($0).weight\":2" }.joined(separator: ","))}}"#
    )
    #expect(abs(doubled.cost - 2 * plain.cost) < 1e-9 * plain.cost)
    let told = try plan(
      #"{"version":1,"tensors":{"\#(name)":{"mxfp4":0,"nvfp4":1e90,"mxfp8_e4m3":1e90}}}"#)
    #expect(told.choices[0].format.id == "mxfp4" && told.choices[0].cost == 0)
    for tensors in [
      #""\#(name)":-1"#, #""\#(name)":1e400"#, #""\#(name)":1e101"#, #""\#(name)":null"#,
      #""\#(name)":"1""#, #""\#(name)":{"mxfp4":1}"#, #""\#(name)":{"mxfp4":-1}"#, #""strange":1"#,
    ] {
      let error = #expect(throws: ModelCheckpointError.self) {
        try plan(#"{"version":1,"tensors":{\#(tensors)}}"#)
      }
      #expect(error?.description.contains { $0.isNewline } == false)
    }
  }
}
