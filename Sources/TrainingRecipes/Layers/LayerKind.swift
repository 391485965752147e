/// What a layer with quantizable operands does in its model.
///
/// The products inside attention (scores and weighted values) are no layers: every published
/// recipe keeps them in BF16 or FP32, and here they stay in FP32. So do norms, activations,
/// softmax, depthwise convolutions and residuals.
public enum LayerKind: String, NamedChoice {
  /// The token table; its forward pass is a look-up.
  case embedding
  /// The projection to queries, keys and values.
  case attentionQKV = "attention_qkv"
  /// The projection after attention.
  case attentionOutput = "attention_output"
  /// The first projections of an MLP, the gate included.
  case mlpUp = "mlp_up"
  /// The last projection of an MLP.
  case mlpDown = "mlp_down"
  /// The input projection of a Mamba block.
  case mambaIn = "mamba_in"
  /// Mamba-1's projection of the scan's input to dt, B and C.
  case mambaX = "mamba_x"
  /// Mamba-1's projection of dt from its low rank.
  case mambaDt = "mamba_dt"
  /// The selective scan; it has tensors of its own instead of input and weight.
  case mambaScan = "mamba_scan"
  /// The output projection of a Mamba block.
  case mambaOut = "mamba_out"
  /// The gate that chooses experts.
  case router
  /// The projections into and out of the latent space of LatentMoE.
  case latentProjection = "latent_projection"
  /// The first projections of an expert, routed or shared.
  case expertUp = "expert_up"
  /// The last projection of an expert, routed or shared.
  case expertDown = "expert_down"
  /// Every projection of a multi-token prediction layer.
  case multiTokenPrediction = "multi_token_prediction"
  /// The projection to the vocabulary.
  case head

  /// The layers that narrow recipes quantize: linear ones, except the head, which every recipe
  /// with a stated choice keeps wide, and the router, which none quantizes.
  public static let projections: [LayerKind] = [
    .attentionQKV, .attentionOutput, .mlpUp, .mlpDown, .mambaIn, .mambaX, .mambaDt, .mambaOut,
    .latentProjection, .expertUp, .expertDown, .multiTokenPrediction,
  ]

  /// The operands of one of the layer's products; none if the layer has no such product.
  ///
  /// | layer | forward | inputGradient | weightGradient |
  /// |---|---|---|---|
  /// | linear | input, weight | outputGradient, weight | outputGradient, input |
  /// | embedding | weight | | outputGradient |
  /// | mambaScan | u, dt, b, c, state | | |
  public func operands(of product: ProductRole) -> [TensorRole] {
    switch (self, product) {
    case (.embedding, .forward): [.weight]
    case (.embedding, .inputGradient): []
    case (.embedding, .weightGradient): [.outputGradient]
    case (.mambaScan, .forward): [.u, .dt, .b, .c, .state]
    case (.mambaScan, _): []
    case (_, .forward): [.input, .weight]
    case (_, .inputGradient): [.outputGradient, .weight]
    case (_, .weightGradient): [.outputGradient, .input]
    }
  }
}
