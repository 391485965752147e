import BlockFormats
import TrainingRecipes

/// Initial values of parameters: uniform numbers, a function of seed and the order of parameters.
///
/// Uniform, so that no logarithm or cosine of a system's library decides a bit.
struct Initializer {
  private let seed: UInt64
  private let recipe: Recipe
  private var stream: UInt32 = 0
  private var layerCount = 0

  init(seed: UInt64, recipe: Recipe) {
    self.seed = seed
    self.recipe = recipe
  }

  /// A linear layer without bias, its weight N x K, numbered in order of creation.
  mutating func linear(_ place: LayerPlace, _ shape: [Int], deviation: Float) -> Linear {
    Linear(
      weight: uniform("\(place.name).weight", shape, deviation: deviation),
      quantization: quantization(place))
  }

  /// What the recipe makes of a layer, numbered in order of creation; the model checks the recipe
  /// once it has all layers.
  mutating func quantization(_ place: LayerPlace) -> LayerQuantization {
    defer { layerCount += 1 }
    return LayerQuantization(place, number: layerCount, uncheckedRecipe: recipe)
  }

  /// Numbers of mean 0 and the given standard deviation.
  mutating func uniform(
    _ name: String, _ shape: [Int], deviation: Float, isDecayed: Bool = true
  ) -> Parameter {
    let count = shape.reduce(1, *)
    let reach = deviation * Float(3).squareRoot()
    let source = StochasticSource(seed: seed, stream: stream)
    stream += 1
    let values = (0..<count).map { index -> Float in
      // The upper 24 bits, centred: odd multiples of 2^-24 in (-1, 1).
      let bits = Int32(source.randomBits(at: UInt64(index)) >> 8)
      return reach * (Float(2 * bits + 1 - (1 << 24)) * 0x1p-24)
    }
    return Parameter(name, shape: shape, values: values, isDecayed: isDecayed)
  }

  /// The same number throughout.
  func constant(_ name: String, _ shape: [Int], _ value: Float) -> Parameter {
    Parameter(
      name, shape: shape, values: [Float](repeating: value, count: shape.reduce(1, *)),
      isDecayed: false)
  }
}
