import BlockFormats
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

/// Trains a transformer block by hand, its linear layers once through recipes and once as literal
/// loops: FP32 fused multiply-adds in the order of the contracted axis.
@Suite("Training with every role in FP32 is plain training")
struct PlainTrainingTests {
  private static let (vocabulary, width, steps, sequences) = (20, 12, 8, 3)
  private static let heads = AttentionHeads(queries: 2, keys: 1, size: 6)

  private typealias LinearLayer = (Activation, Parameter, LayerKind, Tape) -> Activation

  /// Parameters and losses after some steps.
  private func train(_ linear: LinearLayer) -> (losses: [Float], parameters: [[Float]]) {
    let (v, c, t, b) = (Self.vocabulary, Self.width, Self.steps, Self.sequences)
    var seed: UInt64 = 0
    func parameter(_ name: String, _ shape: [Int]) -> Parameter {
      seed += 1
      return Parameter(
        name, shape: shape,
        values: GradientCheck.numbers(shape.reduce(1, *), seed: seed).map { $0 * 0.5 },
        isDecayed: shape.count == 2)
    }
    let table = parameter("table", [v, c])
    let gains = [parameter("gain0", [c]), parameter("gain1", [c])]
    let qkv = parameter("qkv", [Self.heads.inputCount, c])
    let out = parameter("out", [c, Self.heads.outputCount])
    let up = parameter("up", [4 * c, c])
    let down = parameter("down", [c, 4 * c])
    let head = parameter("head", [v, c])
    let optimizer = AdamW([table, qkv, out, up, down, head] + gains)
    let tape = Tape(parallelism: .threads(2))
    let tokens = (0..<b * t).map { Int32($0 * 7 % v) }
    let targets = tokens.map { ($0 * 3 + 1) % Int32(v) }
    var losses: [Float] = []
    for step in 0..<5 {
      tape.quantization.draws.step = step
      let x = tape.embedding(of: tokens, shape: [b, t], table: table)
      let queries = linear(tape.rmsNorm(x, weight: gains[0]), qkv, .attentionQKV, tape)
      let mixed = tape.causalAttention(queries, heads: Self.heads)
      let y = tape.sum(x, linear(mixed, out, .attentionOutput, tape))
      let wide = linear(tape.rmsNorm(y, weight: gains[1]), up, .mlpUp, tape)
      let z = tape.sum(y, linear(tape.apply(.gelu, to: wide), down, .mlpDown, tape))
      let loss = tape.crossEntropy(linear(z, head, .head, tape), targets: targets)
      losses.append(loss.values[0])
      tape.backward(from: loss)
      optimizer.step(learningRate: 1e-2)
      tape.reset()
    }
    return (losses, optimizer.parameters.map(\.array))
  }

  private func throughRecipe(
    _ recipe: Recipe, _ arithmetic: ProductArithmetic = .packed
  ) -> LinearLayer {
    var layers: [String: Linear] = [:]
    return { x, weight, kind, tape in
      tape.quantization.arithmetic = arithmetic
      let layer =
        layers[weight.name]
        ?? Linear(
          weight: weight,
          quantization: LayerQuantization(
            LayerPlace(kind), number: layers.count, uncheckedRecipe: recipe))
      layers[weight.name] = layer
      return layer(x, on: tape)
    }
  }

  /// Rows of A times rows of B.
  private static func product(
    _ a: (Int, Int) -> Float, _ b: (Int, Int) -> Float, rows: Int, columns: Int, depth: Int,
    _ store: (Int, Float) -> Void
  ) {
    for row in 0..<rows {
      for column in 0..<columns {
        var sum: Float = 0
        for index in 0..<depth { sum.addProduct(a(row, index), b(column, index)) }
        store(row * columns + column, sum)
      }
    }
  }

  private static func literal(
    _ x: Activation, _ weight: Parameter, _ kind: LayerKind, _ tape: Tape
  ) -> Activation {
    let (t, n, k) = (x.rowCount, weight.shape[0], weight.shape[1])
    let w = weight.values
    let y = tape.activation(Array(x.shape.dropLast()) + [n])
    product(
      { x.values[$0 * k + $1] }, { w[$0 * k + $1] }, rows: t, columns: n, depth: k
    ) { y.values[$0] = $1 }
    tape.record(y) { dy in
      let target = x.accumulatedGradient()
      product(
        { dy[$0 * n + $1] }, { w[$1 * k + $0] }, rows: t, columns: k, depth: n
      ) { target[$0] += $1 }
      product(
        { dy[$1 * n + $0] }, { x.values[$1 * k + $0] }, rows: n, columns: k, depth: t
      ) { weight.gradient[$0] += $1 }
    }
    return y
  }

  @Test("Losses and parameters after five steps are those of literal FP32 loops, bit for bit")
  func plain() {
    let explicit = Recipe(
      name: "explicit", source: "this test",
      rules: [
        RecipeRule(.bfloat16), RecipeRule(.float32, tensors: [.input]),
        RecipeRule(.float32, tensors: [.weight]), RecipeRule(.float32, tensors: [.outputGradient]),
      ])
    let expected = train(Self.literal)
    #expect(expected.losses[4] < expected.losses[0])
    for recipe in [.fp32, explicit] {
      for arithmetic in ProductArithmetic.allCases {
        let actual = train(throughRecipe(recipe, arithmetic))
        #expect(actual.losses == expected.losses)
        #expect(actual.parameters == expected.parameters, "\(recipe.name) \(arithmetic)")
      }
    }
  }

  @Test("One operand of one product in BF16 is another run")
  func notPlain() {
    let expected = train(Self.literal)
    for product in ProductRole.allCases {
      let recipe = Recipe(
        name: "almost", source: "this test",
        rules: [RecipeRule(.bfloat16, layers: [.mlpDown], products: [product])])
      #expect(train(throughRecipe(recipe)).parameters != expected.parameters, "\(product)")
    }
  }
}
