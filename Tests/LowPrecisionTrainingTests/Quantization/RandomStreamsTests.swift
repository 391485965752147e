import BlockFormats
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Random streams of a run")
struct RandomStreamsTests {
  @Test("A source follows from seed, layer, use, role and step by the stated formula")
  func formula() {
    let key = StreamKey(
      layer: 5, tensor: .outputGradient, product: .weightGradient, step: 7, use: 3)
    let source = RandomStreams(seed: 0xDEAD_BEEF).source(for: key, randomBitCount: 9)
    #expect(source.seed == 0x0000_0007_DEAD_BEEF)
    #expect(source.stream == 5 << 13 | 3 << 5 | 2 << 2 | 2)
    #expect(source.randomBitCount == 9)
    let last = StreamKey(
      layer: 1 << 19 - 1, tensor: .state, product: .weightGradient, step: 1 << 32 - 1, use: 255)
    let lastSource = RandomStreams(seed: .max).source(for: last)
    #expect(lastSource.seed == .max && lastSource.stream == .max - 1)
  }

  @Test("No two roles of a model share a stream within 10,000 steps")
  func noCollisions() {
    let streams = RandomStreams(seed: 1)
    // Two roles of one step differ in the stream, whatever the step; two steps in the seed, whatever
    // the role.
    let places = (0..<24).flatMap { _ in LayerKind.allCases.map { LayerPlace($0) } }
    var roles: Set<UInt32> = []
    var count = 0
    for (layer, place) in places.enumerated() {
      for role in place.roles {
        for use in 0..<4 {
          let key = StreamKey(
            layer: layer, tensor: role.tensor, product: role.product, step: 0, use: use)
          roles.insert(streams.source(for: key).stream)
          count += 1
        }
      }
    }
    #expect(roles.count == count && count > 7000)
    var last: UInt64 = 0
    for step in 0..<10_000 {
      let key = StreamKey(layer: 9, tensor: .outputGradient, product: .forward, step: step)
      let source = streams.source(for: key)
      #expect(source.stream == 9 << 13 | 2 << 2)
      if step > 0 { #expect(source.seed > last) }
      last = source.seed
    }
  }

  @Test("Seed and key come back from the source, so the map is injective over its ranges")
  func injective() {
    for seed in [0, 1, UInt32.max] {
      for layer in [0, 1, 77, 1 << 19 - 1] {
        for step in [0, 1, 10_000, 1 << 32 - 1] {
          for use in [0, 1, 255] {
            for (number, tensor) in TensorRole.allCases.enumerated() {
              for (index, product) in ProductRole.allCases.enumerated() {
                let key = StreamKey(
                  layer: layer, tensor: tensor, product: product, step: step, use: use)
                let source = RandomStreams(seed: seed).source(for: key)
                #expect(UInt32(truncatingIfNeeded: source.seed) == seed)
                #expect(Int(source.seed >> 32) == step)
                let stream = Int(source.stream)
                #expect(stream >> 13 == layer && stream >> 5 & 255 == use)
                #expect(stream >> 2 & 7 == number && stream & 3 == index)
              }
            }
          }
        }
      }
    }
  }

  @Test("Signs are ±1, fixed for a run, new for each step, and different for another seed")
  func signs() {
    let streams = RandomStreams(seed: 42)
    let fixed = streams.signs(count: 128)
    #expect(fixed.allSatisfy { abs($0) == 1 } && Set(fixed).count == 2)
    #expect(streams.signs(count: 16) == Array(fixed[..<16]))
    let words = Philox4x32(key: (42, 0)).block(counter: SIMD4(0, 0, 0, 1))
    #expect(fixed[33] == (words[1] >> 1 & 1 == 0 ? 1 : -1))
    var seen: Set<[Float]> = [fixed, RandomStreams(seed: 43).signs(count: 128)]
    for step in 0..<1000 { seen.insert(streams.signs(count: 128, step: step)) }
    #expect(seen.count == 1002)
  }

  @Test("A policy draws its random bits from the stream of its key, or keeps its own rounding")
  func policies() {
    let streams = RandomStreams(seed: 3)
    let key = StreamKey(layer: 1, tensor: .input, product: .forward, step: 2)
    let stochastic = BlockQuantization(.mxfp4, stochasticBitCount: 8)
    var expected = SharedExponentFormat.mxfp4.defaultPolicy
    #expect(BlockQuantization(.mxfp4).policy(drawingFrom: streams, for: key) == expected)
    expected.rounding = .stochastic(streams.source(for: key, randomBitCount: 8))
    #expect(stochastic.policy(drawingFrom: streams, for: key) == expected)
  }
}
