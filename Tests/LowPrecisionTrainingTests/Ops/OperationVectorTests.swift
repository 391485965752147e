import BlockFormats
import FormatTestSupport
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

/// Operations, their gradients and optimizers against PyTorch in double precision.
///
/// Every stored number comes with the bound of a running error analysis of FP32 steps: see
/// `Tests/Vectors/generators/running.py`.
@Suite("Operations against PyTorch's")
struct OperationVectorTests {
  @Test("Linear layers")
  func linear() throws {
    try OperationVectorRun.forCases(in: "linear") { run in
      let layer = try Linear(
        weight: run.parameter("weight"), bias: run.parameter("bias"),
        quantization: LayerQuantization(LayerPlace(.mlpUp), number: 0, recipe: .fp32))
      return layer(try run.activation("x"), on: run.tape)
    }
  }

  @Test("Norms")
  func norms() throws {
    try OperationVectorRun.forCases(in: "norms") { run in
      let epsilon = try #require(run.vectors.options["epsilon"])
      let (x, gain) = try (run.activation("x"), run.parameter("weight"))
      guard run.vectors.name == "layer_norm" else {
        return run.tape.rmsNorm(x, weight: gain, epsilon: epsilon)
      }
      return run.tape.layerNorm(
        x, weight: gain, bias: try run.parameter("bias"), epsilon: epsilon)
    }
  }

  @Test("Functions of numbers")
  func functions() throws {
    try OperationVectorRun.forCases(in: "functions", where: { $0 != "softplus" }) { run in
      let function = try #require(Nonlinearity(rawValue: run.vectors.name))
      return run.tape.apply(function, to: try run.activation("x"))
    }
  }

  @Test("Causal attention, with and without shared keys")
  func attention() throws {
    try OperationVectorRun.forCases(in: "attention") { run in
      let heads = try #require(run.vectors.integers["heads"])
      return run.tape.causalAttention(
        try run.activation("x"),
        heads: AttentionHeads(queries: heads[0], keys: heads[1], size: heads[2]))
    }
  }

  @Test("Cross entropy with targets left out")
  func crossEntropy() throws {
    try OperationVectorRun.forCases(in: "cross_entropy") { run in
      let targets = try #require(run.vectors.integers["targets"])
      return run.tape.crossEntropy(try run.activation("x"), targets: targets.map(Int32.init))
    }
  }

  @Test("AdamW and SGD with momentum", arguments: ["adamw", "sgd"])
  func optimizers(name: String) throws {
    let vectors = try VectorFile.load(OperationVectors.self, from: "operations/optimizers.json")
    let run = OperationVectorRun(try #require(vectors.cases.first { $0.name == name }))
    let weight = try run.parameter("weight")
    func option(_ name: String) throws -> Float { try #require(run.vectors.options[name]) }
    let optimizer: any Optimizer =
      if name == "adamw" {
        try AdamW(
          [weight], decays: (option("beta1"), option("beta2")), epsilon: option("epsilon"),
          weightDecay: option("decay"))
      } else {
        try SGD([weight], momentum: option("momentum"), weightDecay: option("decay"))
      }
    let gradients = try #require(run.vectors.inputs["gradients"])
    for step in 0..<gradients.shape[0] {
      for index in 0..<weight.count {
        weight.gradient[index] = gradients.values.values[step * weight.count + index]
      }
      optimizer.step(
        learningRate: try option("rate"), clippingNorm: nil, parallelism: .threads(1))
    }
    var actual = ["weight": weight.array]
    for (key, array) in optimizer.state {
      // optimizer.first.weight
      actual[String(key.split(separator: ".")[1])] = array.values
    }
    try run.expect(actual)
  }
}
