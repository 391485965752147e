import CallerChecks
import TrainingRecipes

/// The extents and choices of an MLP.
public struct MLPDesign: Hashable, Sendable {
  /// Channels between its projections.
  public var hiddenCount: Int
  /// What is in between.
  public var kind: Kind

  /// The MLPs there are.
  public enum Kind: Hashable, Sendable {
    /// Two linear layers with a function in between.
    case plain(Nonlinearity)
    /// Three, as in Llama.
    case swiGLU
  }

  /// Creates a design.
  public init(hiddenCount: Int, kind: Kind = .plain(.gelu)) {
    self.hiddenCount = hiddenCount
    self.kind = kind
  }
}

/// Two projections with a function in between, or a gated pair and one.
final class MLPLayer: SequenceLayer {
  private let up: Linear
  private let down: Linear
  private let kind: MLPDesign.Kind

  init(_ design: MLPDesign, _ slot: LayerSlot, _ start: inout Initializer) {
    require(design.hiddenCount > 0, "an MLP of \(design.hiddenCount) channels")
    kind = design.kind
    let hidden = design.kind == .swiGLU ? 2 * design.hiddenCount : design.hiddenCount
    up = start.linear(
      slot.place(.mlpUp, "mlp.up"), [hidden, slot.width], deviation: LayerSlot.deviation)
    down = start.linear(
      slot.place(.mlpDown, "mlp.down"), [slot.width, design.hiddenCount],
      deviation: slot.residualDeviation)
  }

  var parameters: [Parameter] { up.parameters + down.parameters }
  var quantizations: [LayerQuantization] { [up.quantization, down.quantization] }

  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    let inner = up(x, on: tape)
    switch kind {
    case .plain(let function): return down(tape.apply(function, to: inner), on: tape)
    case .swiGLU: return down(tape.swiGLU(inner), on: tape)
    }
  }
}
