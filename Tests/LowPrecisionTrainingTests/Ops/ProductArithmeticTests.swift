import BlockFormats
import FormatTestSupport
import QuantizedLinearAlgebra
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

/// Both ways add the K products of the same two lists of codes.
///
/// What they round, with u = 2^-24, relative to products of the numbers as they are decoded to FP32:
///
/// - Dequantized: a chain of K fused multiply-adds, each rounded once, and α once. Every product
///   passes through at most K + 1 roundings.
/// - Packed: a decoded number is element · scale · tensor scale with at most two roundings, so the
///   product that is meant differs from that of the decoded numbers by four. Inside a group of L
///   elements, at most L roundings; then one of the product of the scales and one of each of the G
///   groups' fused multiply-adds. L + G is at most K + 1. Two of the tensor scales and one of α
///   follow: K + 9.
///
/// n roundings change a product by at most a factor of 1 ± n u / (1 - n u), and so the sum by that
/// share of Σ |a b|. Nothing here comes near the ends of FP32's range.
@Suite("Products of codes against products of decoded numbers")
struct ProductArithmeticTests {
  private static let extents = (t: 48, k: 80, n: 64)
  private static let places = [
    LayerPlace(.mlpUp, block: BlockPosition(0, of: 8)),
    LayerPlace(.mambaOut, block: BlockPosition(0, of: 8)),
  ]

  /// Numbers whose magnitudes spread over some binades.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      Float.random(in: -1...1, using: &generator)
        * Float(sign: .plus, exponent: Int.random(in: -6...2, using: &generator), significand: 1)
    }
  }

  private func makeProducts(_ recipe: Recipe, _ place: LayerPlace, threads: Int = 2)
    -> LinearProducts
  {
    let (t, k, n) = Self.extents
    return LinearProducts(
      x: numbers(t * k, seed: 1), weight: numbers(n * k, seed: 2), dy: numbers(t * n, seed: 3),
      extents: Self.extents, recipe: recipe, place: place, threads: threads)
  }

  @Test(
    "Both ways multiply the same codes: they differ by their FP32 roundings alone",
    arguments: Recipe.catalog.map(\.name))
  func sameCodes(name: String) throws {
    let recipe = try Recipe.named(name)
    for place in Self.places {
      let products = makeProducts(recipe, place)
      // Delayed scales are 1 at first and another number then.
      for step in 0..<2 {
        products.tape.quantization.draws.step = step
        let packed = products.results(.packed)
        let decoded = products.results(.dequantized)
        for (index, definition) in products.definitions.enumerated() {
          try compare(
            packed[index], decoded[index], definition, products,
            "\(place.kind) \(definition.role) step \(step)")
        }
        products.layer.quantization.endStep()
      }
    }
  }

  private func compare(
    _ packed: [Float], _ decoded: [Float], _ definition: LinearProducts.Definition,
    _ products: LinearProducts, _ what: String
  ) throws {
    let depth = definition.depth
    func operand(_ side: (tensor: TensorRole, numbers: [Float])) -> (numbers: [Float], Float) {
      products.operand(
        side.tensor, side.numbers, in: definition.role, depth: depth, isDecoded: true)
    }
    let (a, correctionA) = operand(definition.left)
    let (b, correctionB) = operand(definition.right)
    let alpha = Double(correctionA * correctionB)
    func share(_ roundings: Int) -> Double {
      let error = Double(roundings) * 0x1p-24
      return error / (1 - error)
    }
    var (worstPacked, worstDecoded) = (0.0, 0.0)
    for row in 0..<definition.rows {
      for column in 0..<definition.columns {
        var (sum, magnitude) = (0.0, 0.0)
        for index in 0..<depth {
          let product = Double(a[row * depth + index]) * Double(b[column * depth + index])
          sum += product
          magnitude += abs(product)
        }
        let place = row * definition.columns + column
        let unit = max(magnitude * alpha, .leastNormalMagnitude)
        worstPacked = max(worstPacked, abs(Double(packed[place]) - sum * alpha) / unit)
        worstDecoded = max(worstDecoded, abs(Double(decoded[place]) - sum * alpha) / unit)
      }
    }
    #expect(worstPacked <= share(depth + 9), "\(what)")
    #expect(worstDecoded <= share(depth + 1), "\(what)")
    #expect(packed.contains { $0 != 0 }, "\(what)")
  }

  @Test("FP32 operands give the same bits both ways")
  func float32() {
    for place in Self.places {
      let products = makeProducts(.fp32, place)
      #expect(products.results(.packed) == products.results(.dequantized))
    }
  }

  @Test(
    "Threads change no bit of an operand", arguments: ["quartet", "nvfp4", "fp8_delayed"],
    ProductArithmetic.allCases)
  func threads(name: String, arithmetic: ProductArithmetic) throws {
    let recipe = try Recipe.named(name)
    let (t, k, n) = (200, 300, 40)
    let results = [1, 3].map { threads in
      let products = LinearProducts(
        x: numbers(t * k, seed: 1), weight: numbers(n * k, seed: 2), dy: numbers(t * n, seed: 3),
        extents: (t, k, n), recipe: recipe, place: Self.places[0], threads: threads)
      _ = products.results(arithmetic)
      products.layer.quantization.endStep()
      return products.results(arithmetic)
    }
    #expect(results[0] == results[1])
  }
}
