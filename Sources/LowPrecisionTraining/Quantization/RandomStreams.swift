public import BlockFormats
import CallerChecks
public import TrainingRecipes

/// The random numbers of quantization in a run: which bits belong to which tensor, role and step.
///
/// Every source is a function of the run's seed and the key alone, never of threads or of what was
/// drawn before, so that a resumed run draws the same bits. The map is injective: different keys,
/// and different seeds, never share a Philox block. With s = tensor · 4 + product, both by their
/// number in `allCases`:
///
///     StochasticSource.seed   = step · 2^32 + seed
///     StochasticSource.stream = layer · 2^13 + use · 2^5 + s
///
/// Signs of Hadamard matrices come from blocks whose last counter word is 1, which stochastic
/// rounding never uses.
public struct RandomStreams: Hashable, Sendable {
  /// The seed of the run.
  public let seed: UInt32

  /// Creates the streams of a run.
  public init(seed: UInt32) {
    self.seed = seed
  }

  /// The source of one use of a tensor.
  ///
  /// - Precondition: the key's numbers are in their ranges and `randomBitCount` is in 1...32.
  public func source(for key: StreamKey, randomBitCount: Int = 32) -> StochasticSource {
    require((0..<Self.layerCount).contains(key.layer), "layer \(key.layer) is outside 0..<2^19")
    require((0..<Self.useCount).contains(key.use), "use \(key.use) is outside 0..<2^8")
    require((0..<Self.stepCount).contains(key.step), "step \(key.step) is outside 0..<2^32")
    let slot = key.tensor.number << 2 | key.product.number
    return StochasticSource(
      seed: UInt64(key.step) << 32 | UInt64(seed),
      stream: UInt32(key.layer << 13 | key.use << 5 | slot), randomBitCount: randomBitCount)
  }

  /// How many layers, uses and steps the fields of a source tell apart.
  private static let (layerCount, useCount, stepCount) = (1 << 19, 1 << 8, 1 << 32)

  /// Random signs for a Hadamard matrix: +1 where the bit is 0, -1 where it is 1.
  ///
  /// Sign i is bit i mod 32 of word i / 32 of the Philox block with key (seed, 0) and counter
  /// (low half of t, high half of t, 0, 1), where t is 0 without a step and step + 1 with one.
  ///
  /// - Parameters:
  ///   - count: the number of signs, 1...128.
  ///   - step: the training step; `nil` for signs of the whole run.
  public func signs(count: Int, step: Int? = nil) -> [Float] {
    require((1...128).contains(count), "\(count) signs are outside 1...128")
    require(step ?? 0 >= 0, "step \(step ?? 0) is negative")
    let time = step.map { UInt64($0) + 1 } ?? 0
    let words = Philox4x32(key: (seed, 0)).block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: time), UInt32(truncatingIfNeeded: time >> 32), 0, 1))
    return (0..<count).map { words[$0 / 32] >> UInt32($0 % 32) & 1 == 0 ? 1 : -1 }
  }
}

extension BlockQuantization {
  /// The policy with its random bits, if any, from one source.
  ///
  /// - Parameters:
  ///   - streams: the streams of the run.
  ///   - key: the use of the tensor.
  public func policy(drawingFrom streams: RandomStreams, for key: StreamKey) -> EncodingPolicy {
    guard let stochasticBitCount else { return policy }
    var policy = policy
    policy.rounding = .stochastic(streams.source(for: key, randomBitCount: stochasticBitCount))
    return policy
  }
}
