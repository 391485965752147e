import TrainingRecipes

/// One layer inside the residual stream of a model: B x T x C to B x T x C.
///
/// The norm before it and the sum after it are the model's.
protocol SequenceLayer: AnyObject {
  /// Every parameter, in a fixed order.
  var parameters: [Parameter] { get }
  /// What a recipe makes of every linear layer and scan, in order of use.
  var quantizations: [LayerQuantization] { get }
  /// The layer's addition to the stream.
  func callAsFunction(_ x: Activation, on tape: Tape) -> Activation
}

/// Where a layer stands in its model, and what its initial values depend on.
struct LayerSlot {
  /// The name that parameters of the block start with, such as `blocks.3`.
  let name: String
  /// The block.
  let block: BlockPosition
  /// C.
  let width: Int
  /// T at most.
  let context: Int
  /// The standard deviation of initial weights.
  static let deviation: Float = 0.02
  /// The same for projections that end in the residual stream: smaller by the root of their number,
  /// as in GPT-2.
  let residualDeviation: Float

  /// The place of one projection or scan of the layer.
  func place(_ kind: LayerKind, _ part: String) -> LayerPlace {
    LayerPlace(kind, block: block, name: "\(name).\(part)")
  }
}
