import CallerChecks
import TrainingRecipes

/// The extents and choices of an attention layer.
public struct AttentionDesign: Hashable, Sendable {
  /// Query heads, which divide the width.
  public var headCount: Int
  /// Heads of keys and values, shared by query heads if fewer.
  public var keyHeadCount: Int
  /// How positions enter.
  public var positions: Positions

  /// How positions enter attention.
  public enum Positions: Hashable, Sendable {
    /// Not here.
    case none
    /// Queries and keys are turned.
    case rotary
  }

  /// Creates a design.
  public init(headCount: Int, keyHeadCount: Int? = nil, positions: Positions = .none) {
    self.headCount = headCount
    self.keyHeadCount = keyHeadCount ?? headCount
    self.positions = positions
  }
}

/// Causal attention between two projections.
final class AttentionLayer: SequenceLayer {
  private let input: Linear
  private let output: Linear
  private let heads: AttentionHeads
  private let angles: RotaryAngles?

  /// - Precondition: heads that divide the width.
  init(_ design: AttentionDesign, _ slot: LayerSlot, _ start: inout Initializer) {
    require(
      design.headCount > 0 && slot.width % design.headCount == 0,
      "\(slot.width) channels in \(design.headCount) heads")
    heads = AttentionHeads(
      queries: design.headCount, keys: design.keyHeadCount, size: slot.width / design.headCount)
    angles =
      design.positions == .rotary ? RotaryAngles(steps: slot.context, size: heads.size) : nil
    input = start.linear(
      slot.place(.attentionQKV, "attention.qkv"), [heads.inputCount, slot.width],
      deviation: LayerSlot.deviation)
    output = start.linear(
      slot.place(.attentionOutput, "attention.output"), [slot.width, heads.outputCount],
      deviation: slot.residualDeviation)
  }

  var parameters: [Parameter] { input.parameters + output.parameters }
  var quantizations: [LayerQuantization] { [input.quantization, output.quantization] }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    var rows = input(x, on: tape)
    if let angles { rows = tape.rotated(rows, heads: heads, angles: angles) }
    return output(tape.causalAttention(rows, heads: heads), on: tape)
  }
}
