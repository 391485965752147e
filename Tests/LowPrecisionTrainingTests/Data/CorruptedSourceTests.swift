import Testing

@testable import LowPrecisionTraining

@Suite("Corrupted data")
struct CorruptedSourceTests {
  private let source = SyntheticCorpus(plan: BatchPlan(batchCount: 8, contextCount: 256))

  @Test("With no probability nothing changes, with certainty every token does")
  func extremes() {
    let batch = source.validationBatch(index: 3)
    #expect(CorruptedSource(source, probability: 0).validationBatch(index: 3) == batch)
    let all = CorruptedSource(source, probability: 1).validationBatch(index: 3)
    #expect(zip(all.tokens, batch.tokens).allSatisfy { $0 != $1 })
    #expect(all.tokens.allSatisfy { (0..<Int32(source.vocabularyCount)).contains($0) })
    #expect(all.targets == batch.targets && all.mask == batch.mask)
  }

  @Test("The share of changed tokens is the probability's, and equal batches change equally")
  func share() {
    let corrupted = CorruptedSource(source, probability: 0.1)
    var changed = 0
    for index in 0..<8 {
      let batch = source.validationBatch(index: index)
      let other = corrupted.validationBatch(index: index)
      changed += zip(batch.tokens, other.tokens).count { $0 != $1 }
      #expect(other == corrupted.validationBatch(index: index))
    }
    // 16384 draws of probability 0.1: mean 1638.4, deviation 38.4; five deviations.
    #expect(abs(changed - 1638) < 192)
  }

  @Test("Every other token comes in place of a token")
  func uniform() {
    let corrupted = CorruptedSource(source, probability: 1)
    var seen: Set<Int32> = []
    for index in 0..<8 { seen.formUnion(corrupted.trainingBatch(step: index).tokens) }
    // Each of 128 tokens is missing from 16384 draws with probability (127/128)^16384 < 1e-55.
    #expect(seen.count == source.vocabularyCount)
  }
}
