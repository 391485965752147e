import BlockFormats
import FormatTestSupport
import Testing
import TrainingRecipes

@Suite("Encoding by the presets")
struct PresetEncodingTests {
  static func normal(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) }
    }
  }

  /// The policy of a choice with random bits of some seed.
  private func policy(of quantization: BlockQuantization) -> EncodingPolicy {
    var policy = quantization.policy
    if let bits = quantization.stochasticBitCount {
      policy.rounding = .stochastic(StochasticSource(seed: 1, randomBitCount: bits))
    }
    return policy
  }

  @Test("Every choice of every preset encodes a matrix with tails within the error of 4 bits")
  func everyChoice() {
    let tensor = Tensor(Self.normal(40 * 43, seed: 1), shape: [40, 43])
    let power = tensor.elements.reduce(0) { $0 + $1 * $1 }
    var choices: Set<QuantizationChoice> = []
    for recipe in Recipe.catalog {
      for role in ModelPlaces.everyKind(blocks: 4).flatMap(\.roles) {
        choices.insert(recipe.choice(for: role))
      }
    }
    #expect(choices.count > 20)
    for case .block(let quantization) in choices {
      let cast = tensor.fakeQuantized(
        to: quantization.format, axis: 0, policy: policy(of: quantization))
      let error = zip(cast.tensor.elements, tensor.elements).reduce(0) {
        $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
      }
      #expect(error < 0.1 * power, "\(quantization)")
    }
  }

  @Test("Quartet's backward scales are those of its paper and clip nothing")
  func quartetScales() throws {
    let role = ModelPlaces.role(.mlpUp, .outputGradient, .inputGradient)
    guard case .block(let quantization) = Recipe.quartet.choice(for: role) else {
      Issue.record("no block format")
      return
    }
    let values = Self.normal(32 * 500, seed: 2)
    let encoded = values.map { $0 * quantization.premultiplier }
      .quantized(to: quantization.format, policy: policy(of: quantization))
    #expect(encoded.tally.saturatedCount == 0)
    for (block, scale) in encoded["scales"].unpacked().enumerated() {
      let amax = values[32 * block..<32 * block + 32].reduce(0) { max($0, abs($1)) }
      #expect(Int(scale) - 127 == Int(amax.exponent) - 2)
    }
  }
}
