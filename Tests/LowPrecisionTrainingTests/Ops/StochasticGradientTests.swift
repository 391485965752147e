import BlockFormats
import FormatTestSupport
import Foundation
import Testing
import TrainingRecipes

@testable import LowPrecisionTraining

/// The mean of weight gradients over many draws of the random bits.
///
/// An unclipped number g rounded stochastically becomes one of two neighbours with mean g, all
/// draws independent. Its term in an element of dW, a product with a number x that is not rounded,
/// lies in an interval of length |x| times the neighbours' distance; where x is rounded as well,
/// independently, the length is at most (|g| + d) d' + (|x| + d') d for distances d and d'. With
/// lengths w over all terms of all draws, Hoeffding's inequality bounds the chance that their sum
/// is off its mean by √(Σ w² · ln(2 / p) / 2) or more by p. With p = 10^-9 divided by the number of
/// elements, a correct layer fails with a chance below 10^-9. Bits are fixed, so that a test
/// either always passes or always fails.
@Suite("Stochastic rounding through a whole weight gradient")
struct StochasticGradientTests {
  private static let extents = (t: 64, k: 8, n: 8)
  private static let draws = 500

  /// The mean difference from a reference in units of what Hoeffding's inequality allows.
  private struct Deviation {
    /// The sum over draws of dW minus the reference, element by element.
    var sums: [Double]
    /// Σ w².
    var squares: [Double]
    /// What FP32 sums may add.
    var roundings: [Double]

    /// 1 and less for what chance and FP32 explain.
    var ratios: [Double] {
      let p = 1e-9 / Double(sums.count)
      return sums.indices.map {
        sums[$0] / ((squares[$0] * log(2 / p) / 2).squareRoot() + roundings[$0])
      }
    }
    var greatest: Double { ratios.map(abs).max() ?? .infinity }

    /// The same of the sum of the diagonal, whose elements share no random bits.
    func diagonalRatio(rows: Int) -> Double {
      func sum(_ numbers: [Double]) -> Double {
        (0..<rows).reduce(0) { $0 + numbers[$1 * (rows + 1)] }
      }
      return abs(sum(sums)) / ((sum(squares) * log(2 / 1e-9) / 2).squareRoot() + sum(roundings))
    }
  }

  /// Draws many weight gradients.
  ///
  /// - Parameters:
  ///   - expected: what the mean of a gradient's number is, from the number.
  ///   - scale: of a block, from its largest magnitude.
  private func deviation(
    _ recipe: Recipe, x: [Float], dy: [Float], blockLength: Int,
    isInputRounded: Bool, scale: (Double) -> Double, expected: (Double) -> Double = { $0 }
  ) -> Deviation {
    let (t, k, n) = Self.extents
    let products = LinearProducts(
      x: x, weight: GradientCheck.numbers(n * k, seed: 3), dy: dy, extents: Self.extents,
      recipe: recipe, place: LayerPlace(.mlpUp, block: BlockPosition(0, of: 8)))
    let definition = products.definitions[2]
    let zeros = [Double](repeating: 0, count: n * k)
    var result = Deviation(sums: zeros, squares: zeros, roundings: zeros)
    for step in 0..<Self.draws {
      products.tape.quantization.draws.step = step
      let dw = products.results(.packed)[2]
      let (g, correctionG) = products.operand(
        .outputGradient, definition.left.numbers, in: .weightGradient, depth: t, isDecoded: false)
      let (x, correctionX) = products.operand(
        .input, definition.right.numbers, in: .weightGradient, depth: t,
        isDecoded: !isInputRounded)
      let alpha = Double(correctionG * correctionX)
      let gaps = distances(g, blockLength, scale)
      let gapsX = isInputRounded ? distances(x, blockLength, scale) : x.map { _ in 0 }
      for row in 0..<n {
        for column in 0..<k {
          var (sum, squares, magnitude) = (0.0, 0.0, 0.0)
          for index in 0..<t {
            let (a, b) = (Double(g[row * t + index]), Double(x[column * t + index]))
            let (d, e) = (gaps[row * t + index], gapsX[column * t + index])
            let width = e == 0 ? abs(b) * d : (abs(a) + d) * e + (abs(b) + e) * d
            sum += expected(a) * b
            squares += width * width
            magnitude += (abs(a) + d) * (abs(b) + e)
          }
          let place = row * k + column
          result.sums[place] += Double(dw[place]) - sum * alpha
          result.squares[place] += squares * alpha * alpha
          // At most T + 9 roundings of each product, see `ProductArithmeticTests`.
          result.roundings[place] += magnitude * alpha * Double(t + 9) * 0x1p-24
        }
      }
    }
    return result
  }

  /// The distances of the neighbours of numbers: E2M1 numbers times a scale, which are half a scale
  /// apart below two, one below four, and two above.
  private func distances(
    _ numbers: [Float], _ length: Int, _ scale: (Double) -> Double
  ) -> [Double] {
    stride(from: 0, to: numbers.count, by: length).flatMap { start in
      let block = numbers[start..<start + length].map { abs(Double($0)) }
      let unit = scale(block.max() ?? 0)
      return block.map { $0 < 2 * unit ? unit / 2 : $0 < 4 * unit ? unit : 2 * unit }
    }
  }

  /// The smallest power of two that maps no number of a block beyond 6.
  private func wideScale(_ greatest: Double) -> Double {
    var scale = 0x1p-20
    while 6 * scale < greatest { scale *= 2 }
    return scale
  }

  /// Gradients whose blocks of 16 tokens NVFP4 scales exactly: the largest number is 2688 / 256,
  /// so that the tensor scale is 2^-8, and each block's is six times an E4M3 number times that.
  private var exactlyScaledGradients: [Float] {
    let (t, _, n) = Self.extents
    var dy = GradientCheck.numbers(t * n, seed: 2)
    let scales: [Float] = [448, 104, 208, 88]
    for output in 0..<n {
      for block in 0..<t / 16 {
        let greatest = 6 * scales[(output + block) % 4] / 256
        for token in block * 16..<block * 16 + 16 { dy[token * n + output] *= greatest }
        dy[(block * 16 + output) * n + output] = output % 2 == 0 ? greatest : -greatest
      }
    }
    return dy
  }

  @Test("NVFP4's mean is the product of the unrounded gradient where no block's scale clips")
  func nvfp4() throws {
    let (t, k, _) = Self.extents
    func greatest(_ name: String) throws -> Double {
      deviation(
        try Recipe.named(name), x: GradientCheck.numbers(t * k, seed: 1),
        dy: exactlyScaledGradients, blockLength: 16, isInputRounded: false, scale: { $0 / 6 }
      ).greatest
    }
    #expect(try greatest("nvfp4_no_hadamard") <= 1)
    // The same without random bits is biased, and seen to be.
    #expect(try greatest("nvfp4_no_hadamard_no_stochastic") > 1)
  }

  @Test("Quartet's mean is the exact product: rotated on both sides, rounded at random on both")
  func quartet() {
    let (t, n) = (Self.extents.t, Self.extents.n)
    let dy = GradientCheck.numbers(t * n, seed: 2)
    // Inputs equal to gradients, so that what clips does not cancel on the diagonal.
    func measured(_ recipe: Recipe) -> Deviation {
      deviation(recipe, x: dy, dy: dy, blockLength: 32, isInputRounded: true, scale: wideScale)
    }
    let mean = measured(.quartet)
    #expect(mean.greatest <= 1)
    #expect(mean.diagonalRatio(rows: n) <= 1)
    // With scales that clip the same is biased, and seen to be.
    let clipping = BlockQuantization(
      .mxfp4, stochasticBitCount: 32, transform: OperandTransform(length: 32, signs: .perStep))
    let recipe = Recipe(
      name: "clipping", source: "this test",
      rules: [RecipeRule(.block(clipping), products: [.weightGradient])])
    #expect(measured(recipe).diagonalRatio(rows: n) > 1)
  }

  @Test("Scales that clip bias the mean toward zero, by what they clip")
  func clipping() {
    let (t, k, n) = Self.extents
    let block = BlockQuantization(.mxfp4, stochasticBitCount: 32)
    #expect(block.policy.scaleRule == .powerOfTwo(.floor))
    let recipe = Recipe(
      name: "clipping", source: "this test",
      rules: [
        RecipeRule(.block(block), tensors: [.outputGradient], products: [.weightGradient])
      ])
    // Every block holds ±7.5, so that its scale is 1 and what lies above 6 becomes 6.
    var dy = GradientCheck.numbers(t * n, seed: 2)
    for token in 0..<t {
      for output in 0..<n {
        let sign: Float = output % 2 == 0 ? 1 : -1
        dy[token * n + output] =
          sign * (token % 32 == 5 ? 7.5 : abs(dy[token * n + output]) * 7.5)
      }
    }
    let x = [Float](repeating: 1, count: t * k)
    func measured(_ expected: @escaping (Double) -> Double) -> Deviation {
      deviation(
        recipe, x: x, dy: dy, blockLength: 32, isInputRounded: false, scale: { _ in 1 },
        expected: expected)
    }
    // Against the clipped numbers there is no bias; against the numbers themselves there is one,
    // toward zero, in every row.
    #expect(measured { min(max($0, -6), 6) }.greatest <= 1)
    for (index, ratio) in measured({ $0 }).ratios.enumerated() {
      #expect(index / k % 2 == 0 ? ratio < -1 : ratio > 1)
    }
  }
}
