import CallerChecks
public import TrainingRecipes

/// A decoder-only model: layers behind RMSNorms inside a residual stream, between an embedding and
/// a projection to the vocabulary.
public final class StackedModel: LanguageModel {
  /// Its extents and layers.
  public let configuration: ModelConfiguration
  /// Every parameter, in a fixed order.
  public let parameters: [Parameter]
  /// What the recipe makes of every layer with operands to quantize, in order of use.
  public let quantizations: [LayerQuantization]
  private let embedding: Parameter
  private let lookup: LayerQuantization
  private let positions: Parameter?
  private let layers: [(norm: Parameter, layer: any SequenceLayer)]
  private let norm: Parameter
  private let head: Linear
  private let prediction: MultiTokenPrediction?

  /// Creates a model whose initial values follow from the seed.
  ///
  /// - Parameters:
  ///   - configuration: the extents and layers.
  ///   - recipe: what operands become.
  ///   - seed: of the initial values.
  /// - Throws: what `Recipe.check(_:)` finds wrong with the recipe for these layers.
  /// - Precondition: positive extents that the layers can have.
  public init(
    _ configuration: ModelConfiguration, recipe: Recipe = .fp32, seed: UInt64
  ) throws(RecipeError) {
    let c = configuration
    require(
      c.vocabularyCount > 0 && c.width > 0 && c.context > 0,
      "a model of \(c.width) channels, \(c.vocabularyCount) tokens and \(c.context) steps")
    self.configuration = c
    var start = Initializer(seed: seed, recipe: recipe)
    embedding = start.uniform(
      "embedding", [c.vocabularyCount, c.width], deviation: LayerSlot.deviation)
    lookup = start.quantization(LayerPlace(.embedding, name: "embedding"))
    positions =
      c.positions == .learned
      ? start.uniform("positions", [c.context, c.width], deviation: LayerSlot.deviation) : nil
    layers = Self.layers(c, &start)
    norm = start.constant("norm.weight", [c.width], 1)
    head = start.linear(
      LayerPlace(.head, name: "head"), [c.vocabularyCount, c.width],
      deviation: LayerSlot.deviation)
    prediction = c.prediction.map { MultiTokenPrediction($0, width: c.width, &start) }
    parameters =
      [embedding] + (positions.map { [$0] } ?? [])
      + layers.flatMap { [$0.norm] + $0.layer.parameters } + [norm] + head.parameters
      + (prediction?.parameters ?? [])
    require(
      Set(parameters.map(\.name)).count == parameters.count,
      "a block with two layers of one kind: their parameters would share names")
    quantizations =
      [lookup] + layers.flatMap(\.layer.quantizations) + [head.quantization]
      + (prediction?.quantizations ?? [])
    try recipe.check(quantizations.map(\.place))
  }

  private static func layers(
    _ c: ModelConfiguration, _ start: inout Initializer
  ) -> [(norm: Parameter, layer: any SequenceLayer)] {
    let layerCount = c.blocks.reduce(0) { $0 + $1.count }
    let small = LayerSlot.deviation / Float(max(layerCount, 1)).squareRoot()
    return c.blocks.enumerated().flatMap { index, designs in
      let slot = LayerSlot(
        name: "blocks.\(index)", block: BlockPosition(index, of: c.blocks.count), width: c.width,
        context: c.context, residualDeviation: small)
      return designs.map { design in
        let norm = start.constant("\(slot.name).\(design.part).norm.weight", [c.width], 1)
        return (norm, design.makeLayer(slot, &start))
      }
    }
  }

  /// The logits of a batch: B x T x V.
  ///
  /// - Parameters:
  ///   - tokens: B x T, row-major.
  ///   - sequenceCount: B.
  /// - Precondition: whole sequences of at most `context` steps.
  public func logits(
    of tokens: [Int32], sequenceCount b: Int, on tape: Tape
  ) -> Activation {
    logits(after: stream(of: tokens, sequenceCount: b, on: tape), on: tape)
  }

  /// The cross-entropy of the next tokens.
  ///
  /// Training also minimises the losses of the tokens after them, where they are predicted.
  public func loss(of batch: TokenBatch, on tape: Tape) -> Activation {
    let stream = stream(of: batch.tokens, sequenceCount: batch.batchCount, on: tape)
    let targets = batch.countedOrNegative
    let loss = tape.crossEntropy(logits(after: stream, on: tape), targets: targets)
    prediction?.addLosses(
      hidden: stream, nextTokens: batch.nextTokens, targets: targets, embedding: embedding,
      lookup: lookup, norm: norm, head: head, on: tape)
    return loss
  }

  private func logits(after stream: Activation, on tape: Tape) -> Activation {
    head(tape.rmsNorm(stream, weight: norm), on: tape)
  }

  /// The residual stream after the last layer: B x T x C.
  private func stream(of tokens: [Int32], sequenceCount b: Int, on tape: Tape) -> Activation {
    require(
      b > 0 && tokens.count % b == 0 && tokens.count / b <= configuration.context,
      "\(tokens.count) tokens as \(b) sequences of at most \(configuration.context)")
    let t = tokens.count / b
    var x = tape.narrowed(
      tape.embedding(of: tokens, shape: [b, t], table: embedding), .weight, lookup,
      gradient: .outputGradient)
    if let positions {
      let steps = (0..<b * t).map { Int32($0 % t) }
      x = tape.sum(x, tape.embedding(of: steps, shape: [b, t], table: positions))
    }
    for (norm, layer) in layers {
      x = tape.sum(x, layer(tape.rmsNorm(x, weight: norm), on: tape))
    }
    return x
  }
}
