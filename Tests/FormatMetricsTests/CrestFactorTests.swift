import BlockFormats
import FormatMetrics
import Testing

@Suite("Crest factor")
struct CrestFactorTests {
  @Test("It is 1 for equal magnitudes and the square root of n for a single value")
  func extremes() {
    #expect(crestFactor(of: [3, -3, 3, 3]) == 1)
    #expect(crestFactor(of: [0, 0, -5, 0]) == 2)
    // 3 · 4096 values cross chunks: √(3 · 4096) = 64 √3 up to the division and the square root, each
    // rounded once.
    var long = [Float](repeating: 0, count: 3 * 4096)
    long[9000] = 7
    #expect(abs(crestFactor(of: long) / (64 * 3.0.squareRoot()) - 1) <= 0x1p-50)
  }

  @Test("No value, all zeros, NaN and infinity have no crest factor")
  func undefined() {
    #expect(crestFactor(of: [Float]()).isNaN)
    #expect(crestFactor(of: [0, -0.0]).isNaN)
    #expect(crestFactor(of: [1, .nan]).isNaN)
    #expect(crestFactor(of: [1, -.infinity]).isNaN)
  }

  @Test("Blocks stay within their row, tails are shorter, and zero blocks are left out")
  func blocks() {
    // Rows of 5 in blocks of 4: [1 1 1 1] 1, [2] 1, [0 0 0 0] none, [3] 1, [0 4 0 0] 2, [0] none.
    let values: [Float] = [1, -1, 1, 1, 2, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0]
    let summary = CrestFactorSummary(of: values, blockLength: 4, rowLength: 5)
    #expect(summary.blockCount == 4)
    #expect(summary.zeroBlockCount == 2)
    #expect(summary.sum == 5)
    #expect(summary.mean == 1.25)
    #expect(summary.maximum == 2)
    let oneRow = CrestFactorSummary(of: values, blockLength: 15)
    #expect(oneRow.mean == crestFactor(of: values))
  }

  @Test("An empty tensor has no block, and NaN as mean and maximum")
  func empty() {
    let summary = CrestFactorSummary(of: [], blockLength: 32)
    #expect(summary == CrestFactorSummary())
    #expect(summary.mean.isNaN)
    #expect(summary.maximum.isNaN)
    let nan = CrestFactorSummary(of: [1, 1, .nan, 1], blockLength: 2)
    #expect(nan.mean.isNaN)
    #expect(nan.maximum.isNaN)
  }

  @Test("Thread counts do not change it, and merging adds blocks")
  func threadsAndMerge() {
    let values = Distribution.normal.sample(vectors: 8, length: 100_003, seed: 2)
    let one = CrestFactorSummary(
      of: values, blockLength: 32, rowLength: 100_003, parallelism: .threads(1))
    for threads in [2, 3] {
      let more = CrestFactorSummary(
        of: values, blockLength: 32, rowLength: 100_003, parallelism: .threads(threads))
      #expect(more == one)
    }
    #expect(one.blockCount == 8 * 3126)
    var merged = CrestFactorSummary(of: [1, 1], blockLength: 2)
    merged.merge(CrestFactorSummary(of: [0, 2, 0, 0], blockLength: 4))
    #expect(merged.blockCount == 2)
    #expect(merged.mean == 1.5)
    #expect(merged.maximum == 2)
  }
}
