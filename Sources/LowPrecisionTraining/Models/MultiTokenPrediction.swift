import CallerChecks

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
  private let depth: Int
  private let weight: Float
  /// The losses of the last training batch, of the token after the next first.
  private(set) var losses: [Float] = []

  /// - Parameters:
  ///   - width: C.
  ///   - hiddenCount: the channels of the MLP.
  ///   - depth: D.
  ///   - weight: the part of the losses' mean that training minimises.
  /// - Precondition: positive extents.
  init(
    width: Int, hiddenCount: Int, depth: Int = 1, weight: Float = 0.3,
    _ start: inout Initializer
  ) {
    require(
      width > 0 && hiddenCount > 0 && depth > 0,
      "a prediction of \(depth) tokens from \(width) channels by an MLP of \(hiddenCount)")
    (self.depth, self.weight) = (depth, weight)
    func linear(_ part: String, _ shape: [Int], _ deviation: Float) -> Linear {
      start.linear(
        LayerPlace(.multiTokenPrediction, name: "prediction.\(part)"), shape,
        deviation: deviation)
    }
    hiddenNorm = start.constant("prediction.hidden.norm.weight", [width], 1)
    tokenNorm = start.constant("prediction.token.norm.weight", [width], 1)
    merge = linear("merge", [width, 2 * width], LayerSlot.deviation)
    mlpNorm = start.constant("prediction.mlp.norm.weight", [width], 1)
    up = linear("mlp.up", [hiddenCount, width], LayerSlot.deviation)
    // Two projections end in the residual stream: W and this one.
    down = linear("mlp.down", [width, hiddenCount], LayerSlot.deviation / Float(2).squareRoot())
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
  /// A position is left out of the prediction of token t + n + 1 where that token or one between it and
  /// position t is not known, or beyond the end of the sequence.
  ///
  /// - Parameters:
  ///   - hidden: the trunk's output before the final norm, B x T x C.
  ///   - nextTokens: token t + 1 of every position, B x T; below zero where it is not known.
  ///   - embedding: the model's table of tokens.
  ///   - lookup: what a recipe makes of the table.
  ///   - norm: the gain of the final norm.
  ///   - head: the projection to the vocabulary.
  /// - Precondition: a token for every position.
  func addLosses(
    hidden: Activation, nextTokens: [Int32], embedding: Parameter, lookup: LayerQuantization,
    norm: Parameter, head: Linear, on tape: Tape
  ) {
    guard tape.isRecording else { return }
    require(
      hidden.shape.count == 3 && nextTokens.count == hidden.rowCount,
      "\(nextTokens.count) tokens for positions of shape \(hidden.shape)")
    let shape = Array(hidden.shape.dropLast())
    var (stream, tokens) = (hidden, nextTokens)
    losses.removeAll(keepingCapacity: true)
    for _ in 0..<depth {
      // Any token will do where none is known: the position has no loss.
      let looked = tape.narrowed(
        tape.embedding(of: tokens.map { max($0, 0) }, shape: shape, table: embedding), .weight,
        lookup, gradient: .outputGradient)
      stream = advance(stream, looked, on: tape)
      tokens = Self.following(tokens, steps: shape[1])
      let loss = tape.crossEntropy(
        head(tape.rmsNorm(stream, weight: norm), on: tape), targets: tokens)
      tape.minimise(loss, weight: weight / Float(depth))
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

  /// Token t + n + 1 of every position from token t + n; below zero from the first unknown one on.
  private static func following(_ tokens: [Int32], steps: Int) -> [Int32] {
    tokens.indices.map { index in
      tokens[index] < 0 || (index + 1) % steps == 0 ? -1 : tokens[index + 1]
    }
  }
}
