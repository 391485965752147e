import BlockFormats
import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Random words of the data")
struct SampleStreamTests {
  private func words(_ stream: SampleStream, count: Int = 12) -> [UInt32] {
    var stream = stream
    return (0..<count).map { _ in stream.next() }
  }

  @Test("Streams of one seed differ by purpose, batch and row, and repeat by themselves")
  func streams() {
    var seen: Set<[UInt32]> = []
    for purpose in [SampleStream.Purpose.training, .validation, .language] {
      for batch in [0, 1, 1 << 31] {
        for row in [0, 1, 7] {
          let stream = SampleStream(seed: 5, purpose: purpose, batch: batch, row: row)
          #expect(words(stream) == words(stream))
          seen.insert(words(stream))
        }
      }
    }
    #expect(seen.count == 27)
    let other = SampleStream(seed: 6, purpose: .training, batch: 0, row: 0)
    #expect(!seen.contains(words(other)))
  }

  @Test("Words are Philox blocks whose counter names block, row, batch and purpose")
  func counters() {
    let generator = Philox4x32(seed: 9 ^ 0x746f_6b65_6e73_2121)
    let expected = (0..<3).flatMap { block in
      let words = generator.block(counter: SIMD4(UInt32(block), 3, 4, 2))
      return (0..<4).map { words[$0] }
    }
    let stream = SampleStream(seed: 9, purpose: .validation, batch: 4, row: 3)
    #expect(words(stream) == expected)
  }

  @Test("A selection without repetition takes each element equally often")
  func shuffle() {
    var stream = SampleStream(seed: 1, purpose: .training, batch: 0, row: 0)
    var counts = [Int](repeating: 0, count: 5)
    let draws = 5000
    for _ in 0..<draws {
      var elements = Array(0..<5)
      stream.shuffle(&elements, count: 2)
      #expect(elements.sorted() == Array(0..<5))
      for element in elements.prefix(2) { counts[element] += 1 }
    }
    // Each is binomial with p = 2/5; six standard deviations.
    let bound = 6 * (Double(draws) * 0.4 * 0.6).squareRoot()
    #expect(counts.allSatisfy { abs(Double($0) - 0.4 * Double(draws)) < bound })
  }
}

@Suite("Distributions with exact probabilities")
struct CategoricalTests {
  @Test("Probabilities are multiples of 2^-32, add up to 1 and are near their weights")
  func probabilities() {
    let weights = [3.0, 1, 2, 0.001]
    let choice = Categorical(weights: weights)
    let probabilities = (0..<4).map(choice.probability)
    #expect(probabilities.reduce(0, +) == 1)
    for (weight, probability) in zip(weights, probabilities) {
      #expect((probability * 0x1p32).rounded() == probability * 0x1p32)
      #expect(abs(probability - weight / 6.001) <= 0x1p-32)
    }
  }

  @Test("As many words draw a number as its probability says")
  func words() {
    let choice = Categorical(harmonicCount: 12)
    var start = 0.0
    for number in 0..<12 {
      let end = start + choice.probability(number) * 0x1p32
      #expect(choice.number(UInt32(start)) == number)
      #expect(choice.number(UInt32(end - 1)) == number)
      start = end
    }
    #expect(start == 0x1p32)
  }

  @Test("The entropy of equal weights is the logarithm of their number")
  func entropy() {
    #expect(abs(Categorical(weights: [1, 1, 1, 1]).entropy - log(4.0)) < 1e-15)
    #expect(Categorical(weights: [2]).entropy == 0)
  }
}
