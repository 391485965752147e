import CallerChecks

/// How a value between two neighbouring representable values is rounded.
///
/// The same rule applies to positive and negative values, to normal and subnormal results.
/// Rounding 2.5 and -2.5 to integers gives:
///
/// | rule | 2.5 | -2.5 | 2.25 | -2.75 |
/// |---|---|---|---|---|
/// | `toNearestOrEven` | 2 | -2 | 2 | -3 |
/// | `toNearestOrAway` | 3 | -3 | 2 | -3 |
/// | `toNearestOrTowardZero` | 2 | -2 | 2 | -3 |
/// | `toNearestOrUp` | 3 | -2 | 2 | -3 |
/// | `towardZero` | 2 | -2 | 2 | -2 |
/// | `up` | 3 | -2 | 3 | -2 |
/// | `down` | 2 | -3 | 2 | -3 |
/// | `toOdd` | 3 | -3 | 3 | -3 |
/// | `stochastic` | 2 or 3 | -2 or -3 | 3 in 1 of 4 | -3 in 3 of 4 |
public enum RoundingRule: Hashable, Sendable {
  /// To the nearest value; a tie goes to the even code.
  case toNearestOrEven
  /// To the nearest value; a tie goes away from zero.
  case toNearestOrAway
  /// To the nearest value; a tie goes toward zero (ggml's MXFP4 and NVFP4, MLX's CPU code, ModelOpt's
  /// MXFP4).
  case toNearestOrTowardZero
  /// To the nearest value; a tie goes toward +∞: floor(x + ½) for integers.
  case toNearestOrUp
  /// To the neighbour nearer zero: truncation.
  case towardZero
  /// To the neighbour nearer +∞.
  case up
  /// To the neighbour nearer -∞.
  case down
  /// To the neighbour with the odd code unless exact: keeps a later rounding correct.
  case toOdd
  /// To one of the two neighbours, with a probability that grows with nearness.
  case stochastic(StochasticSource)

  /// The rule's name in options and reports.
  public var id: String {
    switch self {
    case .toNearestOrEven: "nearest_even"
    case .toNearestOrAway: "nearest_away"
    case .toNearestOrTowardZero: "nearest_toward_zero"
    case .toNearestOrUp: "nearest_half_up"
    case .towardZero: "toward_zero"
    case .up: "up"
    case .down: "down"
    case .toOdd: "to_odd"
    case .stochastic(let source):
      "stochastic(bits=\(source.randomBitCount),seed=\(source.seed),stream=\(source.stream))"
    }
  }

  /// The rule in a few words.
  public var meaning: String {
    switch self {
    case .toNearestOrEven: "to the nearest value, a tie to the even code"
    case .toNearestOrAway: "to the nearest value, a tie away from zero"
    case .toNearestOrTowardZero: "to the nearest value, a tie toward zero"
    case .toNearestOrUp: "to the nearest value, a tie toward +Inf"
    case .towardZero: "to the neighbour nearer zero"
    case .up: "to the neighbour nearer +Inf"
    case .down: "to the neighbour nearer -Inf"
    case .toOdd: "to the neighbour with the odd code, unless exact"
    case .stochastic: "to one of the neighbours, the nearer the likelier"
    }
  }

  /// The rule that an id names.
  public init?(id: String) {
    if let rule = RoundingRule.deterministic.first(where: { $0.id == id }) {
      self = rule
      return
    }
    let pattern = /stochastic\(bits=(\d{1,2}),seed=(\d{1,20}),stream=(\d{1,10})\)/
    guard let match = id.wholeMatch(of: pattern), let bits = Int(match.1), (1...32).contains(bits),
      let seed = UInt64(match.2), let stream = UInt32(match.3)
    else { return nil }
    self = .stochastic(StochasticSource(seed: seed, stream: stream, randomBitCount: bits))
  }

  /// The rules that need no random bits.
  public static let deterministic: [RoundingRule] = [
    .toNearestOrEven, .toNearestOrAway, .towardZero, .up, .down, .toOdd, .toNearestOrTowardZero,
    .toNearestOrUp,
  ]
}

/// The random bits of stochastic rounding: a function of a key and an element's index.
///
/// The N random bits R of the element with row-major index i in the logical tensor are the top N
/// bits of word i mod 4 of the Philox4x32-10 block with key (low half of seed, stream) and counter
/// (low half of q, high half of q, high half of seed, 0), where q = floor(i / 4). They depend on
/// nothing else: not on the axis, the block, the layout or the thread. Each element has a word of
/// its own, and one block serves the four elements 4q to 4q + 3.
///
/// A value at fraction ν of the way between its neighbours, away from zero, is rounded away from
/// zero when floor(ν · 2^N) + R ≥ 2^N. The probability floor(ν · 2^N) / 2^N falls short of ν by
/// less than 2^-N, so the bias is toward zero and below 2^-N spacings; it is zero when ν has at
/// most N bits, as for every FP32 input scaled by a power of two that lies in a normal binade
/// when N ≥ 23. The result is unbiased only where neither the scale nor the format clips.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the comparison
/// is variant A of IEEE P3109.
public struct StochasticSource: Hashable, Sendable {
  /// The seed of the whole run.
  public let seed: UInt64
  /// Separates uses of one seed: tensor, role and step.
  public let stream: UInt32
  /// The number N of random bits for an element, 1...32.
  public let randomBitCount: Int

  /// Creates a source.
  ///
  /// - Precondition: `randomBitCount` is in 1...32.
  public init(seed: UInt64, stream: UInt32 = 0, randomBitCount: Int = 32) {
    require(
      (1...32).contains(randomBitCount), "\(randomBitCount) random bits are outside 1...32")
    self.seed = seed
    self.stream = stream
    self.randomBitCount = randomBitCount
  }

  /// The random bits of the element at a row-major index, below 2^randomBitCount.
  public func randomBits(at index: UInt64) -> UInt32 {
    let generator = Philox4x32(key: (UInt32(truncatingIfNeeded: seed), stream))
    let quad = index >> 2
    let counter = SIMD4<UInt32>(
      UInt32(truncatingIfNeeded: quad), UInt32(truncatingIfNeeded: quad >> 32),
      UInt32(truncatingIfNeeded: seed >> 32), 0)
    let word = generator.block(counter: counter)[Int(truncatingIfNeeded: index & 3)]
    return word >> UInt32(32 - randomBitCount)
  }

  /// floor(2^count · frac(significand / 2^dropped)).
  static func fraction(of significand: UInt64, droppingBits dropped: Int, to count: Int) -> UInt64 {
    if dropped >= 64 { return dropped - count >= 64 ? 0 : significand >> UInt64(dropped - count) }
    let remainder = significand & ((1 << UInt64(dropped)) - 1)
    return dropped >= count
      ? remainder >> UInt64(dropped - count) : remainder << UInt64(count - dropped)
  }
}
