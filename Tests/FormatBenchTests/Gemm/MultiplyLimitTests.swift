import BlockFormats
import Testing

@testable import FormatBench
@testable import QuantizedLinearAlgebra

@Suite("The loops that only multiply and add")
struct MultiplyLimitTests {
  @Test(
    "Operands are 1, so that the sums of every loop count its multiplications",
    arguments: KernelLevel.supported,
    [
      ("mxfp4", "mxfp4", 64), ("nvfp4", "nvfp4", 64), ("mxfp6_e2m3", "mxfp6_e2m3", 96),
      ("mxint8", "mxint8", 64), ("mx9", "mx9", 64), ("mxfp8_e4m3", "mxfp4", 64),
      ("int8_row", "int8_row", 300), ("mxfp4(block=3)", "mxfp4(block=3)", 10),
      ("affine4", "mxfp4", 64), ("fp32", "fp32", 64),
    ])
  func counts(level: KernelLevel, pair: (a: String, b: String, depth: Int)) throws {
    let work = GroupWork(
      try ProductDefinition(
        a: .quantized(FormatCatalog.format(id: pair.a)),
        b: .quantized(FormatCatalog.format(id: pair.b)), depth: pair.depth))
    for threads in [1, 3] {
      for repetitions in [0, 1, 7, 100] {
        let limit = MultiplyLimit(
          level: level, work: work, threadCount: threads, repetitions: repetitions)
        #expect(Double(limit.run()) == limit.operationCount / 2)
      }
    }
  }

  @Test("The work of a group: words, runs of bytes, and how scales meet")
  func work() throws {
    func work(_ a: String, _ b: String) throws -> GroupWork {
      GroupWork(
        try ProductDefinition(
          a: .quantized(FormatCatalog.format(id: a)),
          b: .quantized(FormatCatalog.format(id: b)), depth: 1024))
    }
    let mxfp4 = try work("mxfp4", "mxfp4")
    #expect(mxfp4.wordCount == 8 && mxfp4.runLength == 8 && mxfp4.addsExponents)
    let nvfp4 = try work("nvfp4", "nvfp4")
    #expect(nvfp4.wordCount == 4 && nvfp4.runLength == 4 && !nvfp4.addsExponents)
    #expect(try work("mxint8", "mxfp4").runLength == 8)
    #expect(try work("mxfp6_e2m3", "mxfp6_e2m3").runLength == 4)
    #expect(try work("mxint8", "mxint8").runLength == nil)
    #expect(try work("mxfp8_e4m3", "mxfp4").wordCount == 16)
  }

  @Test("A call of its own choice is long enough to be measured")
  func repetitions() throws {
    let format = OperandFormat.quantized(.mxfp4)
    let work = GroupWork(try ProductDefinition(a: format, b: format, depth: 64))
    let limit = MultiplyLimit(level: .best, work: work, threadCount: 2)
    #expect(limit.repetitions >= 1 << 10)
    #expect(limit.operationCount > 2 * Double(limit.repetitions))
  }
}
