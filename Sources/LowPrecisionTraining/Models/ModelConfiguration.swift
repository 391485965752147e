/// The extents and layers of a language model.
///
/// Letters: V tokens of the vocabulary, C channels, T steps at most.
public struct ModelConfiguration: Hashable, Sendable {
  /// V.
  public var vocabularyCount: Int
  /// C.
  public var width: Int
  /// T.
  public var context: Int
  /// The layers of each block, in order; recipes select blocks.
  public var blocks: [[LayerDesign]]
  /// How positions enter before the first block.
  public var positions: Positions
  /// The prediction of tokens beyond the next one, which training alone makes; `nil` for none.
  public var prediction: MultiTokenDesign?

  /// How positions enter before the first block.
  public enum Positions: Hashable, Sendable {
    /// A learned vector for each step, added to the embedding.
    case learned
    /// Not there: scans know the order of steps, and attention may turn queries and keys.
    case none
  }

  /// Creates a configuration.
  public init(
    vocabularyCount: Int, width: Int, context: Int, blocks: [[LayerDesign]],
    positions: Positions = .none, prediction: MultiTokenDesign? = nil
  ) {
    self.vocabularyCount = vocabularyCount
    self.width = width
    self.context = context
    self.blocks = blocks
    self.positions = positions
    self.prediction = prediction
  }

  /// A GPT in the proportions of GPT-2: blocks of attention and a GELU MLP, learned positions.
  public static func transformer(
    vocabularyCount: Int, width: Int, blockCount: Int, headCount: Int, context: Int
  ) -> ModelConfiguration {
    let block: [LayerDesign] = [
      .attention(AttentionDesign(headCount: headCount)), .mlp(MLPDesign(hiddenCount: 4 * width)),
    ]
    return ModelConfiguration(
      vocabularyCount: vocabularyCount, width: width, context: context,
      blocks: Array(repeating: block, count: blockCount), positions: .learned)
  }
}
