import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("The corpus of known entropy")
struct SyntheticCorpusTests {
  private func sequences(_ batch: TokenBatch) -> [[Int32]] {
    (0..<batch.batchCount).map { row in
      let range = row * batch.contextCount..<(row + 1) * batch.contextCount
      return Array(batch.tokens[range]) + batch.targets[range].suffix(1)
    }
  }

  private static let small: SyntheticCorpus.Parameters = {
    var parameters = SyntheticCorpus.Parameters()
    parameters.vocabularyCount = 12
    parameters.nameCount = 2
    parameters.classCount = 2
    parameters.successorCount = 3
    parameters.phraseLength = 2
    parameters.namePeriod = 4
    return parameters
  }()

  @Test("A batch depends on seed and step alone, in whatever order it is asked for")
  func determinism() {
    let plan = BatchPlan(batchCount: 2, contextCount: 32, seed: 3)
    let (first, second) = (SyntheticCorpus(plan: plan), SyntheticCorpus(plan: plan))
    let later = first.trainingBatch(step: 7)
    _ = second.trainingBatch(step: 0)
    #expect(second.trainingBatch(step: 7) == later)
    #expect(second.trainingBatch(step: 6) != later)
    let other = BatchPlan(batchCount: 2, contextCount: 32, seed: 4)
    #expect(SyntheticCorpus(plan: other).trainingBatch(step: 7) != later)
  }

  @Test("Validation is the same for every seed, and no training sequence is in it")
  func split() {
    let corpora = [UInt64(0), 1].map {
      SyntheticCorpus(plan: BatchPlan(batchCount: 4, contextCount: 64, seed: $0))
    }
    let validation = (0..<8).map { corpora[0].validationBatch(index: $0) }
    #expect((0..<8).map { corpora[1].validationBatch(index: $0) } == validation)
    var seen = Set(validation.flatMap(sequences))
    #expect(seen.count == 32)
    for corpus in corpora {
      for step in 0..<8 { seen.formUnion(sequences(corpus.trainingBatch(step: step))) }
    }
    #expect(seen.count == 32 + 2 * 32)
  }

  @Test("Every token is predicted from the ones before, and all count")
  func layout() {
    let corpus = SyntheticCorpus(plan: BatchPlan(batchCount: 3, contextCount: 50))
    let batch = corpus.trainingBatch(step: 1)
    #expect(batch.countedTargets == 150)
    #expect(batch.tokens.allSatisfy { (0..<128).contains($0) })
    for row in 0..<3 {
      let range = row * 50..<(row + 1) * 50
      #expect(batch.tokens[range].dropFirst() == batch.targets[range].dropLast())
    }
  }

  @Test("The words after a name are the same whenever the name returns")
  func phrases() {
    let corpus = SyntheticCorpus(plan: BatchPlan(batchCount: 8, contextCount: 256))
    let length = corpus.parameters.phraseLength
    var repetitions = 0
    for text in sequences(corpus.trainingBatch(step: 0)) {
      var phrases: [Int32: [Int32]] = [:]
      for position in text.indices where text[position] >= 120 {
        let phrase = Array(text[(position + 1)...].prefix(length))
        #expect(phrase.allSatisfy { $0 < 120 })
        if let known = phrases[text[position]] {
          #expect(known.starts(with: phrase))
          repetitions += 1
        } else {
          phrases[text[position]] = phrase
        }
      }
    }
    #expect(repetitions > 8)
  }

  @Test("After any beginning the probabilities of all tokens add up to 1")
  func normalisation() {
    let corpus = SyntheticCorpus(parameters: Self.small, plan: BatchPlan(contextCount: 40))
    for text in sequences(corpus.trainingBatch(step: 0)) {
      for position in 1..<text.count {
        let sum = (0..<Int32(12)).reduce(0.0) { sum, token in
          sum + exp(-(corpus.surprisals(of: text[..<position] + [token]).last ?? 0))
        }
        #expect(abs(sum - 1) < 1e-12)
      }
    }
  }

  /// The sum of conditional entropies over `left` tokens, averaged over all choices of names.
  ///
  /// It follows the text itself, choice by choice, and keeps no probabilities of states.
  private func entropySum(
    left: Int, seen: Set<Int>, phrase: (left: Int, isNew: Bool), _ corpus: SyntheticCorpus
  ) -> Double {
    guard left > 0 else { return 0 }
    let names = corpus.parameters.nameCount
    let word = corpus.successorChoice.entropy
    if phrase.left > 0 {
      return (phrase.isNew ? word : 0)
        + entropySum(
          left: left - 1, seen: seen, phrase: (phrase.left - 1, phrase.isNew), corpus)
    }
    let q = 1 / Double(corpus.parameters.namePeriod)
    var sum = -(1 - q) * log(1 - q) + (1 - q) * word - q * log(q / Double(names))
    sum += (1 - q) * entropySum(left: left - 1, seen: seen, phrase: phrase, corpus)
    for name in 0..<names {
      let length = corpus.parameters.phraseLength
      sum +=
        q / Double(names)
        * entropySum(
          left: left - 1, seen: seen.union([name]), phrase: (length, !seen.contains(name)), corpus)
    }
    return sum
  }

  @Test("The floor is the mean over all ways to choose names", arguments: [1, 2, 3, 5, 11])
  func enumeration(contextCount: Int) throws {
    let corpus = SyntheticCorpus(
      parameters: Self.small, plan: BatchPlan(contextCount: contextCount))
    let sum = entropySum(left: contextCount, seen: [], phrase: (0, false), corpus)
    let floor = try #require(corpus.lossFloor)
    #expect(abs(floor - sum / Double(contextCount)) < 1e-12)
    #expect(corpus.positionFloors.count == contextCount)
  }

  @Test("The floor of the default sizes is what another implementation computes")
  func defaultFloor() throws {
    let corpus = SyntheticCorpus(plan: BatchPlan(contextCount: 128))
    // In NumPy, with probabilities that are not rounded to multiples of 2^-32.
    let floor = try #require(corpus.lossFloor)
    #expect(abs(floor - 1.8054482955582352) < 1e-8)
  }

  @Test("The loss of who knows the language is the floor, as near as chance allows")
  func monteCarlo() throws {
    let corpus = SyntheticCorpus(plan: BatchPlan(batchCount: 600, contextCount: 128))
    let floor = try #require(corpus.lossFloor)
    let means = sequences(corpus.validationBatch(index: 0)).map {
      corpus.surprisals(of: $0).reduce(0, +) / 128
    }
    let summary = SampleSummary(means)
    let deviation = try #require(summary.standardDeviation)
    // Sequences are independent and their means bounded, so the mean of n is normal to a good
    // approximation; six standard errors are passed once in 5 · 10^8 samples.
    let bound = 6 * deviation / Double(means.count).squareRoot()
    #expect(bound < 0.06)
    #expect(abs(summary.mean - floor) < bound)
    #expect(floor > 1 && floor < corpus.chanceLoss / 2)
  }

  @Test("Each class of the token before last orders the words after a token in its own way")
  func orderTwo() {
    let corpus = SyntheticCorpus()
    for token in Int32(0)..<128 {
      let orders = (0..<Int32(128)).map { previous in
        (0..<8).map { corpus.successor($0, of: token, after: previous) }
      }
      #expect(Set(orders).count == 4)
      #expect(Set(orders.map(Set.init)).count == 1)
      #expect(Set(orders[0]).count == 8 && orders[0].allSatisfy { $0 < 120 })
    }
    #expect(Set(corpus.classes) == Set(0..<4))
  }

  @Test("A language has its own seed")
  func languages() {
    let (one, two) = (SyntheticCorpus(languageSeed: 1), SyntheticCorpus(languageSeed: 2))
    #expect(one.successors != two.successors)
    #expect(one.lossFloor == two.lossFloor)
    #expect(one.successors == SyntheticCorpus(plan: BatchPlan(seed: 9)).successors)
  }
}
