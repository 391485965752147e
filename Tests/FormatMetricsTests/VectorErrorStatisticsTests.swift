import BlockFormats
import FormatMetrics
import Testing

@Suite("The mean-of-vectors error")
struct VectorErrorStatisticsTests {
  @Test("It is the mean of noise ratios and not the ratio of sums")
  func handComputed() {
    // Noise ratios 1/4 and 1/100 of one small and one large vector: mean 0.13.
    let x: [Float] = [2, 0, 0, 10]
    let y: [Float] = [1, 0, 0, 9]
    let statistics = VectorErrorStatistics(original: x, reconstruction: y, vectorLength: 2)
    #expect(statistics.vectorCount == 2)
    #expect(statistics.sumOfNoiseRatios == 0.25 + 0.01)
    #expect(abs(statistics.meanQSNR - 8.860566476931632) < 1e-12)  // -10 log10(0.13)
    #expect(ErrorStatistics(original: x, reconstruction: y).qsnr > 17)  // 10 log10(52)
  }

  @Test("All-zero vectors are left out and counted")
  func zeroVectors() {
    let statistics = VectorErrorStatistics(
      original: [0, 0, 2, 0, 0, 0], reconstruction: [0, 0, 1, 0, 1, 0], vectorLength: 2)
    #expect(statistics.vectorCount == 1)
    #expect(statistics.zeroVectorCount == 2)
    #expect(statistics.sumOfNoiseRatios == 0.25)
  }

  @Test("Exact vectors give infinity, none or only zeros NaN, and a NaN stays")
  func edgeCases() {
    let exact = VectorErrorStatistics(original: [1, 2], reconstruction: [1, 2], vectorLength: 1)
    #expect(exact.meanQSNR == .infinity)
    let none = VectorErrorStatistics(original: [], reconstruction: [], vectorLength: 3)
    #expect(none == VectorErrorStatistics())
    #expect(none.meanQSNR.isNaN)
    let zeros = VectorErrorStatistics(original: [0, 0], reconstruction: [0, 0], vectorLength: 2)
    #expect(zeros.meanQSNR.isNaN)
    let nan = VectorErrorStatistics(original: [1, .nan], reconstruction: [1, 0], vectorLength: 1)
    #expect(nan.meanQSNR.isNaN)
  }

  @Test("Vectors longer than a chunk are summed in the documented tree, for any thread count")
  func longVectors() {
    for (length, vectors) in [(4096, 3), (9001, 3), (129 * 4096, 2), (3, 400_000)] {
      let x = Distribution.bdr.sample(vectors: vectors, length: length, seed: 4)
      let y = x.map { ($0 * 8).rounded() / 8 }
      let one = VectorErrorStatistics(
        original: x, reconstruction: y, vectorLength: length, parallelism: .threads(1))
      for threads in [2, 3] {
        let more = VectorErrorStatistics(
          original: x, reconstruction: y, vectorLength: length, parallelism: .threads(threads))
        #expect(more == one)
      }
      if vectors < 4 {
        let ratios = (0..<vectors).map { vector in
          let row = (vector * length)..<((vector + 1) * length)
          let e = zip(x[row], y[row]).map { Double($1) - Double($0) }
          return treeSum(e.map { $0 * $0 }) / treeSum(x[row].map { Double($0) * Double($0) })
        }
        #expect(one.sumOfNoiseRatios == ratios[0] + ratios[1] + (vectors == 3 ? ratios[2] : 0))
      }
    }
  }

  @Test("Merging adds vectors and ratios")
  func merge() {
    var a = VectorErrorStatistics(original: [2, 0], reconstruction: [1, 0], vectorLength: 1)
    a.merge(VectorErrorStatistics(original: [4], reconstruction: [2], vectorLength: 1))
    #expect(a.vectorCount == 2)
    #expect(a.zeroVectorCount == 1)
    #expect(a.sumOfNoiseRatios == 0.5)
  }
}
