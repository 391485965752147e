import BlockFormats
import CKernelLevels
import CMultiplyLimit
import QuantizedLinearAlgebra

/// Does in registers what a product has to do for each group, and nothing else: the limit of its speed.
struct MultiplyLimit: Sendable {
  let level: KernelLevel
  let work: GroupWork
  let threadCount: Int
  /// What each thread repeats in a call.
  let repetitions: Int

  /// Multiplications and additions of a call.
  var operationCount: Double {
    2 * Double(threadCount) * Double(repetitions)
      * withGroup { Double(multiply_limit_operations(level.multiplyLimit, $0)) }
  }

  /// The instructions that multiply and add elements.
  var instructions: String {
    withGroup { String(cString: multiply_limit_instructions(level.multiplyLimit, $0)) }
  }

  /// The seconds that a call takes, about, so that starting threads costs nothing beside it.
  private static let seconds = 0.002
  private static let trialWords = 1 << 13

  /// Finds out how many repetitions make a call of some milliseconds.
  init(level: KernelLevel, work: GroupWork, threadCount: Int) {
    let repetitions = max(1, Self.trialWords / work.wordCount)
    let trial = MultiplyLimit(
      level: level, work: work, threadCount: 1, repetitions: repetitions)
    trial.run()
    let seconds = ContinuousClock().measure { trial.run() } / .seconds(1)
    let factor = min(1e3, max(1, Self.seconds / max(seconds, 1e-9)))
    self.init(
      level: level, work: work, threadCount: threadCount,
      repetitions: repetitions * Int(factor))
  }

  /// A call of as many repetitions as are given.
  init(level: KernelLevel, work: GroupWork, threadCount: Int, repetitions: Int) {
    self.level = level
    self.work = work
    self.threadCount = threadCount
    self.repetitions = repetitions
  }

  /// Runs the loop on every thread.
  ///
  /// - Returns: the sum of all products, as `multiply_limit_run` defines it.
  @discardableResult
  func run() -> UInt64 {
    let (level, group) = (level.multiplyLimit, group)
    let repetitions = repetitions
    return Parallelism.threads(threadCount).map(count: threadCount, grain: 1) { range in
      range.reduce(0 as UInt64) { sum, _ in
        withUnsafePointer(to: group) { sum &+ multiply_limit_run(level, $0, repetitions) }
      }
    }
    .reduce(0, &+)
  }

  private var group: multiply_limit_group {
    multiply_limit_group(
      unit: work.runLength == nil ? work.unit.multiplyLimit : MULTIPLY_LIMIT_RUNS,
      words: work.wordCount, run: work.runLength ?? work.wordCount,
      adds_exponents: work.addsExponents)
  }

  private func withGroup<Result>(
    _ body: (UnsafePointer<multiply_limit_group>) -> Result
  ) -> Result {
    withUnsafePointer(to: group, body)
  }
}

extension KernelLevel {
  fileprivate var multiplyLimit: BKLevel { BKLevel(rawValue: numericCast(number)) }
}

extension ProductUnit {
  fileprivate var multiplyLimit: multiply_limit_unit {
    switch self {
    case .int8: MULTIPLY_LIMIT_INT8
    case .int16: MULTIPLY_LIMIT_INT16
    case .bfloat16: MULTIPLY_LIMIT_BFLOAT16
    case .float32: MULTIPLY_LIMIT_FLOAT32
    }
  }
}
