import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Tasks that separate architectures")
struct TaskTests {
  /// The rows of a batch as tokens, targets and the positions that count.
  private func rows(_ batch: TokenBatch) -> [(tokens: [Int], targets: [Int], counted: [Int])] {
    (0..<batch.batchCount).map { row in
      let range = row * batch.contextCount..<(row + 1) * batch.contextCount
      return (
        batch.tokens[range].map { Int($0) }, batch.targets[range].map { Int($0) },
        range.filter { batch.mask[$0] == 1 }.map { $0 - range.lowerBound }
      )
    }
  }

  @Test("The value asked for is the one that stood after the key")
  func recall() {
    let task = AssociativeRecall(
      vocabularyCount: 20, pairCount: 4, plan: BatchPlan(batchCount: 20, contextCount: 17))
    for (tokens, targets, counted) in rows(task.trainingBatch(step: 0)) {
      var values: [Int: Int] = [:]
      for pair in 0..<4 { values[tokens[2 * pair]] = tokens[2 * pair + 1] }
      #expect(values.count == 4)
      #expect(values.allSatisfy { $0.key < 10 && (10..<20).contains($0.value) })
      #expect(counted == [8, 10, 12, 14, 16])
      #expect(counted.allSatisfy { values[tokens[$0]] == targets[$0] })
      #expect(Array(tokens.dropFirst()) == targets.dropLast())
    }
    #expect(task.chanceLoss == log(10))
  }

  @Test("The words to copy are the ones among the blanks, in their order")
  func copying() {
    let task = SelectiveCopying(
      vocabularyCount: 6, wordsToCopy: 5, plan: BatchPlan(batchCount: 20, contextCount: 24))
    for (tokens, targets, counted) in rows(task.trainingBatch(step: 3)) {
      #expect(counted == Array(19..<24))
      #expect(tokens.suffix(5).allSatisfy { $0 == 5 })
      #expect(tokens.prefix(19).filter { $0 != 4 } == Array(targets.suffix(5)))
      #expect(targets.allSatisfy { $0 < 4 })
    }
    #expect(task.chanceLoss == log(4))
  }

  @Test("The word after the second sign is the one after the first", arguments: [3, 4, 40])
  func induction(contextCount: Int) throws {
    let task = InductionHeads(
      vocabularyCount: 9, plan: BatchPlan(batchCount: 40, contextCount: contextCount))
    var places: Set<Int> = []
    for (tokens, targets, counted) in rows(task.trainingBatch(step: 2)) {
      #expect(counted == [contextCount - 1])
      let signs = tokens.indices.filter { tokens[$0] == 8 }
      #expect(signs.count == 2 && signs.last == contextCount - 1)
      let first = try #require(signs.first)
      #expect(targets[contextCount - 1] == tokens[first + 1])
      #expect(tokens[first + 1] < 8)
      places.insert(first)
    }
    #expect(contextCount < 5 ? places.count == contextCount - 2 : places.count > 10)
    #expect(task.chanceLoss == log(8))
  }

  @Test("The result asked for is the sum so far", arguments: [2, 5])
  func arithmetic(modulus: Int) {
    let task = ModularArithmetic(
      modulus: modulus, plan: BatchPlan(batchCount: 20, contextCount: 31))
    for (tokens, targets, counted) in rows(task.trainingBatch(step: 0)) {
      #expect(counted == Array(stride(from: 2, to: 31, by: 2)))
      for position in counted {
        var sum = tokens[0]
        for place in stride(from: 2, through: position, by: 2) {
          sum += tokens[place - 1] == modulus ? tokens[place] : -tokens[place]
        }
        #expect((sum - targets[position]).isMultiple(of: modulus))
        #expect((0..<modulus).contains(targets[position]))
      }
    }
    #expect(task.chanceLoss == log(Double(modulus)))
  }

  @Test("Answers are as frequent as the chance level says")
  func chance() {
    let plan = BatchPlan(batchCount: 200, contextCount: 64)
    let tasks: [any TokenSource] = [
      AssociativeRecall(vocabularyCount: 32, pairCount: 16, plan: plan),
      SelectiveCopying(plan: plan), InductionHeads(plan: plan), ModularArithmetic(plan: plan),
    ]
    for task in tasks {
      let batch = task.validationBatch(index: 0)
      #expect(batch.tokens.allSatisfy { (0..<Int32(task.vocabularyCount)).contains($0) })
      #expect(batch.targets.allSatisfy { (0..<Int32(task.vocabularyCount)).contains($0) })
      let answers = zip(batch.targets, batch.mask).filter { $0.1 != 0 }.map { Int($0.0) }
      let frequency = Dictionary(grouping: answers, by: { $0 }).mapValues {
        Double($0.count) / Double(answers.count)
      }
      let entropy = -frequency.values.reduce(0) { $0 + $1 * log($1) }
      // An estimate from n answers of k kinds is low by about (k - 1) / 2n, at most 0.04 here; where
      // answers repeat within a sequence, by somewhat more.
      #expect(entropy <= task.chanceLoss + 1e-12)
      #expect(entropy > task.chanceLoss - 0.1)
      #expect(task.lossFloor == 0)
    }
  }

  @Test("Tasks repeat by seed and step, and validate on other sequences")
  func determinism() {
    func tasks(_ seed: UInt64) -> [any TokenSource] {
      let plan = BatchPlan(batchCount: 4, contextCount: 64, seed: seed)
      return [
        AssociativeRecall(plan: plan), SelectiveCopying(plan: plan), InductionHeads(plan: plan),
        ModularArithmetic(plan: plan),
      ]
    }
    for ((one, same), other) in zip(zip(tasks(1), tasks(1)), tasks(0)) {
      #expect(one.trainingBatch(step: 5) == same.trainingBatch(step: 5))
      #expect(one.trainingBatch(step: 5) != one.trainingBatch(step: 4))
      #expect(one.trainingBatch(step: 5) != other.trainingBatch(step: 5))
      #expect(one.validationBatch(index: 5) == other.validationBatch(index: 5))
      #expect(one.validationBatch(index: 5) != other.trainingBatch(step: 5))
    }
  }
}
