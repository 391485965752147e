import CallerChecks

/// The extents and choices of a Transformer.
///
/// Letters: V tokens of the vocabulary, C channels, L blocks, T steps at most.
public struct TransformerConfiguration: Hashable, Sendable {
  /// V.
  public var vocabularyCount: Int
  /// C.
  public var width: Int
  /// L.
  public var blockCount: Int
  /// Query heads.
  public var headCount: Int
  /// Heads of keys and values, shared if fewer.
  public var keyHeadCount: Int
  /// T.
  public var context: Int
  /// Channels inside an MLP.
  public var hiddenCount: Int
  /// The MLP.
  public var mlp: MLPKind
  /// How positions enter.
  public var positions: Positions

  /// The MLPs there are.
  public enum MLPKind: Hashable, Sendable {
    /// Two linear layers with a function in between.
    case plain(Nonlinearity)
    /// Three, as in Llama.
    case swiGLU
  }

  /// How positions enter a model.
  public enum Positions: Hashable, Sendable {
    /// A learned vector for each step, added to the embedding.
    case learned
    /// Queries and keys are turned.
    case rotary
  }

  /// A GPT in the proportions of GPT-2.
  public init(
    vocabularyCount: Int, width: Int, blockCount: Int, headCount: Int, context: Int,
    keyHeadCount: Int? = nil, hiddenCount: Int? = nil, mlp: MLPKind = .plain(.gelu),
    positions: Positions = .learned
  ) {
    self.vocabularyCount = vocabularyCount
    self.width = width
    self.blockCount = blockCount
    self.headCount = headCount
    self.keyHeadCount = keyHeadCount ?? headCount
    self.context = context
    self.hiddenCount = hiddenCount ?? 4 * width
    self.mlp = mlp
    self.positions = positions
  }
}

/// A decoder-only Transformer with RMSNorm before every layer.
public final class Transformer {
  /// Its extents and choices.
  public let configuration: TransformerConfiguration
  /// Every parameter, in a fixed order.
  public let parameters: [Parameter]
  /// Every linear layer, in order of use.
  public let linearLayers: [Linear]
  private let embedding: Parameter
  private let positions: Parameter?
  private let blocks: [TransformerBlock]
  private let norm: Parameter
  private let head: Linear

  /// Creates a model whose initial values follow from the seed.
  ///
  /// - Precondition: positive extents, and heads that divide the width.
  public init(
    _ configuration: TransformerConfiguration, recipe: Recipe = .fp32, seed: UInt64
  ) {
    let c = configuration
    require(
      c.vocabularyCount > 0 && c.width > 0 && c.blockCount >= 0 && c.context > 0
        && c.headCount > 0 && c.width % c.headCount == 0,
      "a Transformer of \(c.blockCount) blocks of \(c.width) channels in \(c.headCount) heads")
    self.configuration = c
    var start = Initializer(seed: seed, recipe: recipe)
    embedding = start.uniform("embedding", [c.vocabularyCount, c.width], deviation: 0.02)
    positions =
      c.positions == .learned
      ? start.uniform("positions", [c.context, c.width], deviation: 0.02) : nil
    blocks = (0..<c.blockCount).map { TransformerBlock($0, c, &start) }
    norm = start.constant("norm.weight", [c.width], 1)
    head = start.linear(
      LayerPlace(.head, name: "head"), [c.vocabularyCount, c.width], deviation: 0.02)
    parameters =
      [embedding] + (positions.map { [$0] } ?? []) + blocks.flatMap(\.parameters) + [norm]
      + head.parameters
    linearLayers = blocks.flatMap(\.linearLayers) + [head]
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
    require(
      b > 0 && tokens.count % b == 0 && tokens.count / b <= configuration.context,
      "\(tokens.count) tokens as \(b) sequences of at most \(configuration.context)")
    let t = tokens.count / b
    var x = tape.embedding(of: tokens, shape: [b, t], table: embedding)
    if let positions {
      let steps = (0..<b * t).map { Int32($0 % t) }
      x = tape.sum(x, tape.embedding(of: steps, shape: [b, t], table: positions))
    }
    for block in blocks { x = block(x, on: tape) }
    return head(tape.rmsNorm(x, weight: norm), on: tape)
  }
}

/// Attention and an MLP, each behind a norm and inside the residual stream.
final class TransformerBlock {
  private let attentionNorm: Parameter
  private let attentionInput: Linear
  private let attentionOutput: Linear
  private let mlpNorm: Parameter
  private let mlpInput: Linear
  private let mlpOutput: Linear
  private let heads: AttentionHeads
  private let angles: RotaryAngles?
  private let mlp: TransformerConfiguration.MLPKind
  let linearLayers: [Linear]

  init(_ index: Int, _ c: TransformerConfiguration, _ start: inout Initializer) {
    let name = "blocks.\(index)"
    heads = AttentionHeads(
      queries: c.headCount, keys: c.keyHeadCount, size: c.width / c.headCount)
    angles =
      c.positions == .rotary ? RotaryAngles(steps: c.context, size: heads.size) : nil
    mlp = c.mlp
    // Layers that end in the residual stream start smaller, by the number of them: GPT-2.
    let small = 0.02 / Float(2 * max(c.blockCount, 1)).squareRoot()
    func linear(
      _ part: String, _ kind: LayerKind, _ shape: [Int], _ deviation: Float
    ) -> Linear {
      let place = LayerPlace(
        kind, block: BlockPosition(index, of: c.blockCount), name: "\(name).\(part)")
      return start.linear(place, shape, deviation: deviation)
    }
    attentionNorm = start.constant("\(name).attention.norm.weight", [c.width], 1)
    attentionInput = linear("attention.qkv", .attentionQKV, [heads.inputCount, c.width], 0.02)
    attentionOutput = linear(
      "attention.output", .attentionOutput, [c.width, heads.outputCount], small)
    mlpNorm = start.constant("\(name).mlp.norm.weight", [c.width], 1)
    let hidden = c.mlp == .swiGLU ? 2 * c.hiddenCount : c.hiddenCount
    mlpInput = linear("mlp.up", .mlpUp, [hidden, c.width], 0.02)
    mlpOutput = linear("mlp.down", .mlpDown, [c.width, c.hiddenCount], small)
    linearLayers = [attentionInput, attentionOutput, mlpInput, mlpOutput]
  }

  var parameters: [Parameter] {
    [attentionNorm] + attentionInput.parameters + attentionOutput.parameters + [mlpNorm]
      + mlpInput.parameters + mlpOutput.parameters
  }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    var rows = attentionInput(tape.rmsNorm(x, weight: attentionNorm), on: tape)
    if let angles { rows = tape.rotated(rows, heads: heads, angles: angles) }
    let y = tape.sum(
      x, attentionOutput(tape.causalAttention(rows, heads: heads), on: tape))
    let inner = mlpInput(tape.rmsNorm(y, weight: mlpNorm), on: tape)
    let hidden =
      switch mlp {
      case .plain(let function): tape.apply(function, to: inner)
      case .swiGLU: tape.swiGLU(inner)
      }
    return tape.sum(y, mlpOutput(hidden, on: tape))
  }
}
