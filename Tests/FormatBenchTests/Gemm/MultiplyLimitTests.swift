import BlockFormats
import QuantizedLinearAlgebra
import Testing

@testable import FormatBench

@Suite("The loops that only multiply and add")
struct MultiplyLimitTests {
  @Test(
    "Operands are 1, so that the sums of every loop count its multiplications",
    arguments: KernelLevel.supported, ProductUnit.allCases)
  func counts(level: KernelLevel, unit: ProductUnit) {
    for threads in [1, 3] {
      for repetitions in [0, 1, 7, 1000] {
        let limit = MultiplyLimit(
          level: level, unit: unit, threadCount: threads, repetitions: repetitions)
        #expect(Double(limit.run()) == limit.operationCount / 2)
      }
    }
  }

  @Test("A call of its own choice is long enough to be measured")
  func repetitions() {
    let limit = MultiplyLimit(level: .best, unit: .float32, threadCount: 2)
    #expect(limit.repetitions >= 1 << 10)
    #expect(limit.operationCount > 2 * Double(limit.repetitions))
  }
}
