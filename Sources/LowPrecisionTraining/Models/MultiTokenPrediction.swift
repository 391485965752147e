import CallerChecks
import TrainingRecipes

/// The extents and choices of a prediction of tokens beyond the next one.
public struct MultiTokenDesign: Hashable, Sendable {
  /// The tokens that are predicted beyond the next.
  public var depth: Int
  /// Channels inside the layer's MLP.
  public var hiddenCount: Int
  /// The part of the mean of their losses that training minimises.
  public var weight: Float

  /// Creates a design.
  public init(depth: Int = 1, hiddenCount: Int, weight: Float = 0.3) {
    self.depth = depth
    self.hiddenCount = hiddenCount
    self.weight = weight
  }
}

/// A layer after the trunk that predicts tokens beyond the next one.
///
/// Letters: B sequences, T steps, C channels, D tokens that are predicted beyond the next. With the
/// trunk's output h⁰ and n = 1 ... D,
///
///     mⁿ[t] = W [rmsNorm(hⁿ⁻¹[t]); rmsNorm(embedding(token[t + n]))]
///     hⁿ[t] = mⁿ[t] + down(squaredReLU(up(rmsNorm(mⁿ[t]))))
///     token[t + n + 1] is predicted by head(norm(hⁿ[t]))
///
/// with one set of weights for all n, and with embedding, final norm and head those of the model.
/// Training minimises weight / D times the sum of the D losses beside its own loss.
///
/// Published layers hold an attention layer before the MLP; here a position sees earlier ones only
/// through the trunk.
///
/// Sources: DeepSeek-V3, arXiv 2412.19437, section 2.2, for the equations; "NVIDIA Nemotron 3",
/// arXiv 2512.20856, for the shared weights; Megatron-Bridge's mtp_loss_scaling for the weight 0.3.
final class MultiTokenPrediction {
  private let hiddenNorm: Parameter
  private let tokenNorm: Parameter
  private let merge: Linear
  private let mlpNorm: Parameter
  private let up: Linear
  private let down: Linear
  private let design: MultiTokenDesign
  /// The losses of the last training batch, of the token after the next first.
  private(set) var losses: [Float] = []

  /// - Precondition: positive extents, and a finite weight.
  init(_ design: MultiTokenDesign, width: Int, _ start: inout Initializer) {
    let hidden = design.hiddenCount
    require(
      width > 0 && hidden > 0 && design.depth > 0,
      "a prediction of \(design.depth) tokens from \(width) channels by an MLP of \(hidden)")
    require(
      design.weight.isFinite,
      "a prediction of tokens whose losses have the weight \(design.weight)")
    self.design = design
    func linear(_ part: String, _ shape: [Int], _ deviation: Float) -> Linear {
      start.linear(
        LayerPlace(.multiTokenPrediction, name: "prediction.\(part)"), shape,
        deviation: deviation)
    }
    hiddenNorm = start.constant("prediction.hidden.norm.weight", [width], 1)
    tokenNorm = start.constant("prediction.token.norm.weight", [width], 1)
    merge = linear("merge", [width, 2 * width], LayerSlot.deviation)
    mlpNorm = start.constant("prediction.mlp.norm.weight", [width], 1)
    up = linear("mlp.up", [hidden, width], LayerSlot.deviation)
    // Two projections end in the residual stream: W and this one.
    down = linear("mlp.down", [width, hidden], LayerSlot.deviation / Float(2).squareRoot())
  }

  /// Every parameter, in a fixed order.
  var parameters: [Parameter] {
    [hiddenNorm, tokenNorm] + merge.parameters + [mlpNorm] + up.parameters + down.parameters
  }

  /// What a recipe makes of every linear layer, in order of use.
  var quantizations: [LayerQuantization] { [merge, up, down].map(\.quantization) }

  /// Adds the losses of tokens beyond the next to what training minimises; does nothing where the
  /// tape does not record.
  ///
  /// A position is left out of the prediction of token t + n + 1 where that token does not count or is
  /// beyond the sequence's end, and where one between it and position t is not known.
  ///
  /// - Parameters:
  ///   - hidden: the trunk's output before the final norm, B x T x C.
  ///   - nextTokens: token t + 1 of every position, B x T; below zero where it is not known.
  ///   - targets: the same, below zero where no prediction of the token counts.
  ///   - embedding: the model's table of tokens.
  ///   - lookup: what a recipe makes of the table.
  ///   - norm: the gain of the final norm.
  ///   - head: the projection to the vocabulary.
  /// - Precondition: a token and a target for every position.
  func addLosses(
    hidden: Activation, nextTokens: [Int32], targets: [Int32], embedding: Parameter,
    lookup: LayerQuantization, norm: Parameter, head: Linear, on tape: Tape
  ) {
    guard tape.isRecording else { return }
    require(
      hidden.shape.count == 3 && nextTokens.count == hidden.rowCount
        && targets.count == nextTokens.count,
      "\(nextTokens.count) tokens and \(targets.count) targets for positions \(hidden.shape)")
    let shape = Array(hidden.shape.dropLast())
    var (stream, tokens, targets) = (hidden, nextTokens, targets)
    losses.removeAll(keepingCapacity: true)
    for _ in 0..<design.depth {
      // Any token will do where none is known: the position has no loss.
      let looked = tape.narrowed(
        tape.embedding(of: tokens.map { max($0, 0) }, shape: shape, table: embedding), .weight,
        lookup, gradient: .outputGradient)
      stream = advance(stream, looked, on: tape)
      targets = Self.following(tokens, targets, steps: shape[1])
      tokens = Self.following(tokens, tokens, steps: shape[1])
      let loss = tape.crossEntropy(
        head(tape.rmsNorm(stream, weight: norm), on: tape), targets: targets)
      tape.minimise(loss, weight: design.weight / Float(design.depth))
      losses.append(loss.values[0])
    }
  }

  /// hⁿ from hⁿ⁻¹ and the embedding of token t + n.
  private func advance(
    _ stream: Activation, _ token: Activation, on tape: Tape
  ) -> Activation {
    let both = tape.concatenation(
      tape.rmsNorm(stream, weight: hiddenNorm), tape.rmsNorm(token, weight: tokenNorm))
    let merged = merge(both, on: tape)
    let inner = up(tape.rmsNorm(merged, weight: mlpNorm), on: tape)
    return tape.sum(merged, down(tape.apply(.squaredReLU, to: inner), on: tape))
  }

  /// What stands at the next position; below zero at the end of a sequence and where token t + n, which
  /// leads there, is not known.
  private static func following(
    _ tokens: [Int32], _ next: [Int32], steps: Int
  ) -> [Int32] {
    tokens.indices.map { index in
      tokens[index] < 0 || (index + 1) % steps == 0 ? -1 : next[index + 1]
    }
  }
}
