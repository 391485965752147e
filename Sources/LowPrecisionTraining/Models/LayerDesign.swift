/// A layer of a model by its kind, extents and choices.
public enum LayerDesign: Hashable, Sendable {
  /// Causal attention.
  case attention(AttentionDesign)
  /// Two or three linear layers with a function in between.
  case mlp(MLPDesign)
  /// A selective scan between its projections: Mamba-1.
  case mamba(MambaDesign)
  /// A router and the experts it sends tokens to.
  case mixture(MixtureDesign)
  /// Mamba-2: a scan of states with a decay for each head.
  case mamba2(Mamba2Design)

  /// What names of its parameters hold, such as `attention`.
  var part: String {
    switch self {
    case .attention: "attention"
    case .mlp: "mlp"
    case .mamba: "mamba"
    case .mixture: "mixture"
    case .mamba2: "mamba2"
    }
  }

  /// The layer with its initial values.
  func makeLayer(_ slot: LayerSlot, _ start: inout Initializer) -> any SequenceLayer {
    switch self {
    case .attention(let design): AttentionLayer(design, slot, &start)
    case .mlp(let design): MLPLayer(design, slot, &start)
    case .mamba(let design): MambaLayer(design, slot, &start)
    case .mixture(let design): MixtureLayer(design, slot, &start)
    case .mamba2(let design): Mamba2Layer(design, slot, &start)
    }
  }
}
