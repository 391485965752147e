import TrainingRecipes

/// Which random bits the operands of a step draw: seed and step, and how often each was used so far.
public struct OperandDraws: Sendable {
  /// The random numbers of the run.
  public let streams: RandomStreams
  /// The step that random numbers are drawn for.
  public var step: Int
  /// How often operands were used in this step, by the key of their first use.
  private var uses: [StreamKey: Int] = [:]

  /// Starts a step in which nothing has been drawn.
  public init(seed: UInt32, step: Int = 0) {
    streams = RandomStreams(seed: seed)
    self.step = step
  }

  /// The key of the next use of an operand: uses of the same one in a step count from 0.
  mutating func key(
    _ tensor: TensorRole, _ product: ProductRole, layer: Int
  ) -> StreamKey {
    var key = StreamKey(layer: layer, tensor: tensor, product: product, step: step)
    let use = uses[key, default: 0]
    uses[key] = use + 1
    key.use = use
    return key
  }

  /// Forgets all uses, as before a step.
  mutating func startOver() { uses.removeAll(keepingCapacity: true) }
}
