import CallerChecks
public import TrainingRecipes

/// The models there are by name.
public enum ModelKind: String, NamedChoice {
  /// A GPT: blocks of attention and a GELU MLP, learned positions.
  case transformer
  /// Mamba-1 layers.
  case mamba
  /// Mamba-2 layers.
  case mamba2
  /// Mamba-2 layers and MLPs in turns, with attention in between: the pattern of Nemotron-H.
  case hybrid
  /// Mamba-2 layers and latent mixtures of experts in turns, with attention in between, which also
  /// predict the token after the next: the pattern of Nemotron 3.
  case moeHybrid = "moe-hybrid"

  /// The model in the given extents.
  ///
  /// Models of one depth are of similar size: a pair of layers has about 12 C² parameters, those of
  /// experts and attention besides.
  ///
  /// Sources of the patterns: Nemotron-H, arXiv 2504.03624; NVIDIA Nemotron 3, arXiv 2512.20856.
  /// There, one layer in about thirteen is attention; here, as there are few layers, the second pair
  /// of every four has one, and so has a pair that is alone. MLPs are squared ReLU, attention has one key head for two query heads
  /// (one, if they are odd) and no positions, as in both.
  ///
  /// - Parameters:
  ///   - vocabularyCount: V.
  ///   - width: C.
  ///   - depth: pairs of layers; blocks of a Transformer.
  ///   - headCount: attention heads, which divide the width.
  ///   - context: T.
  /// - Precondition: positive extents.
  public func configuration(
    vocabularyCount: Int, width: Int, depth: Int, headCount: Int, context: Int
  ) -> ModelConfiguration {
    require(
      min(vocabularyCount, width, depth, headCount, context) > 0,
      """
      a model of depth \(depth), \(width) channels, \(headCount) heads, \(vocabularyCount) tokens \
      and \(context) steps
      """)
    var layers: [LayerDesign] = []
    var prediction: MultiTokenDesign?
    let attention = LayerDesign.attention(
      AttentionDesign(
        headCount: headCount, keyHeadCount: headCount % 2 == 0 ? headCount / 2 : 1))
    func interleaved(_ other: LayerDesign) -> [LayerDesign] {
      (0..<depth).flatMap { pair in
        [.mamba2(Mamba2Design())] + (hasAttention(pair, of: depth) ? [attention] : []) + [other]
      }
    }
    switch self {
    case .transformer:
      return .transformer(
        vocabularyCount: vocabularyCount, width: width, blockCount: depth, headCount: headCount,
        context: context)
    case .mamba: layers = Array(repeating: .mamba(MambaDesign()), count: 2 * depth)
    case .mamba2: layers = Array(repeating: .mamba2(Mamba2Design()), count: 2 * depth)
    case .hybrid:
      layers = interleaved(
        .mlp(MLPDesign(hiddenCount: 4 * width, kind: .plain(.squaredReLU))))
    case .moeHybrid:
      // Eight experts on half the channels, two of them for a token.
      layers = interleaved(
        .mixture(
          MixtureDesign(
            expertCount: 8, chosenCount: 2, hiddenCount: width, sharedHiddenCount: 2 * width,
            latentCount: max(1, width / 2))))
      prediction = MultiTokenDesign(hiddenCount: 2 * width)
    }
    return ModelConfiguration(
      vocabularyCount: vocabularyCount, width: width, context: context, blocks: layers.map { [$0] },
      prediction: prediction)
  }

  /// The attention layers of a model of some depth.
  public func attentionCount(depth: Int) -> Int {
    switch self {
    case .transformer: depth
    case .mamba, .mamba2: 0
    case .hybrid, .moeHybrid: (0..<depth).count { hasAttention($0, of: depth) }
    }
  }

  /// Whether attention stands in a pair of a hybrid.
  private func hasAttention(_ pair: Int, of depth: Int) -> Bool {
    pair % 4 == min(1, depth - 1)
  }
}
