/// The models there are by name.
public enum ModelKind: String, Hashable, Sendable, CaseIterable {
  /// A GPT: attention and a GELU MLP in every block.
  case transformer

  /// The model in the given extents.
  ///
  /// - Parameters:
  ///   - vocabularyCount: V.
  ///   - width: C.
  ///   - depth: pairs of layers, as the Transformer counts its blocks.
  ///   - headCount: attention heads, which divide the width.
  ///   - context: T.
  public func configuration(
    vocabularyCount: Int, width: Int, depth: Int, headCount: Int, context: Int
  ) -> ModelConfiguration {
    switch self {
    case .transformer:
      .transformer(
        vocabularyCount: vocabularyCount, width: width, blockCount: depth, headCount: headCount,
        context: context)
    }
  }
}
