import Testing

@testable import LowPrecisionTraining
@testable import TensorFiles

@Suite("The bytes of a file as a corpus")
struct ByteCorpusTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Opens a file of the bytes from 0 to 255.
  private func corpus(_ plan: BatchPlan, validationFraction: Double = 0.25) throws -> ByteCorpus {
    try ByteCorpus(
      path: folder.write((0...255).map { UInt8($0) }), plan: plan,
      validationFraction: validationFraction)
  }

  @Test("Windows lie within their part, and each byte is followed by the next")
  func windows() throws {
    let corpus = try corpus(BatchPlan(batchCount: 16, contextCount: 8, seed: 2))
    #expect(corpus.trainingBytes == 0..<192)
    #expect(corpus.validationBytes == 192..<256)
    var starts: Set<Int32> = []
    for step in 0..<100 {
      let batch = corpus.trainingBatch(step: step)
      #expect(zip(batch.tokens, batch.targets).allSatisfy { $0 + 1 == $1 })
      #expect(batch.targets.allSatisfy { $0 < 192 })
      #expect(batch.countedTargets == 128)
      starts.formUnion(stride(from: 0, to: 128, by: 8).map { batch.tokens[$0] })
    }
    // Each of the 184 starts is missed with probability (1 - 1/184)^1600 = 1.6e-4.
    #expect(starts.contains(0) && starts.contains(183) && starts.count > 175)
  }

  @Test("Validation walks through its part and starts over")
  func validation() throws {
    let corpus = try corpus(BatchPlan(batchCount: 3, contextCount: 10))
    #expect(corpus.validationWindowCount == 6)
    let starts = (0..<3).flatMap { index in
      let batch = corpus.validationBatch(index: index)
      #expect(zip(batch.tokens, batch.targets).allSatisfy { $0 + 1 == $1 })
      return [batch.tokens[0], batch.tokens[10], batch.tokens[20]]
    }
    #expect(starts == [192, 202, 212, 222, 232, 242, 192, 202, 212])
  }

  @Test("Batches repeat by seed and step")
  func determinism() throws {
    let plan = BatchPlan(batchCount: 4, contextCount: 8, seed: 2)
    let corpora = try [plan, plan, BatchPlan(batchCount: 4, contextCount: 8, seed: 3)].map {
      try corpus($0)
    }
    #expect(corpora[0].trainingBatch(step: 9) == corpora[1].trainingBatch(step: 9))
    #expect(corpora[0].trainingBatch(step: 9) != corpora[0].trainingBatch(step: 8))
    #expect(corpora[0].trainingBatch(step: 9) != corpora[2].trainingBatch(step: 9))
    #expect(corpora[0].validationBatch(index: 1) == corpora[2].validationBatch(index: 1))
  }

  @Test("The shortest file has one window for each part")
  func shortest() throws {
    let plan = BatchPlan(batchCount: 2, contextCount: 4)
    let corpus = try ByteCorpus(path: folder.write(Array("abcdefghij".utf8)), plan: plan)
    #expect(corpus.trainingBytes == 0..<5)
    #expect(corpus.trainingBatch(step: 0).tokens == [97, 98, 99, 100, 97, 98, 99, 100])
    #expect(corpus.validationBatch(index: 0).targets == [103, 104, 105, 106, 103, 104, 105, 106])
  }

  @Test("A file that cannot serve is refused with its name and the cause")
  func failures() throws {
    let plan = BatchPlan(batchCount: 2, contextCount: 4)
    func error(_ path: String) -> ByteCorpusError? {
      #expect(throws: ByteCorpusError.self) { try ByteCorpus(path: path, plan: plan) }
    }
    let short = try folder.write(Array("abcdefghi".utf8), as: "short")
    #expect(error(short) == .tooShort(path: short, needed: 10, available: 9))
    #expect(
      error(short)?.description
        == "\(short): too short for the context: needs 10 bytes, has 9")
    let empty = try folder.write([], as: "empty")
    #expect(error(empty) == .file(.emptyFile(path: empty)))
    #expect(error(folder["none"]) == .file(.missing(path: folder["none"])))
    #expect(error(folder.path) == .file(.isDirectory(path: folder.path)))
  }
}
