import BlockFormats
import CKernelLevels
import CMultiplyLimit
import QuantizedLinearAlgebra

/// Multiplies and adds in registers and does nothing else: the limit of a product's speed.
struct MultiplyLimit: Sendable {
  let level: KernelLevel
  let unit: ProductUnit
  let threadCount: Int
  /// What each thread repeats in a call.
  let repetitions: Int

  /// Multiplications and additions of a call.
  var operationCount: Double {
    2 * Double(threadCount) * Double(repetitions)
      * Double(multiply_limit_operations(level.multiplyLimit, unit.multiplyLimit))
  }

  /// The seconds that a call takes, about, so that starting threads costs nothing beside it.
  private static let seconds = 0.002
  private static let trialRepetitions = 1 << 10

  /// Finds out how many repetitions make a call of some milliseconds.
  init(level: KernelLevel, unit: ProductUnit, threadCount: Int) {
    let trial = MultiplyLimit(
      level: level, unit: unit, threadCount: 1, repetitions: Self.trialRepetitions)
    trial.run()
    let seconds = ContinuousClock().measure { trial.run() } / .seconds(1)
    let factor = min(1e3, max(1, Self.seconds / max(seconds, 1e-9)))
    self.init(
      level: level, unit: unit, threadCount: threadCount,
      repetitions: Self.trialRepetitions * Int(factor))
  }

  /// A call of as many repetitions as are given.
  init(level: KernelLevel, unit: ProductUnit, threadCount: Int, repetitions: Int) {
    self.level = level
    self.unit = unit
    self.threadCount = threadCount
    self.repetitions = repetitions
  }

  /// Runs the loop on every thread.
  ///
  /// - Returns: the sum of all products, as `multiply_limit_run` defines it.
  @discardableResult
  func run() -> UInt64 {
    let (level, unit) = (level.multiplyLimit, unit.multiplyLimit)
    let repetitions = repetitions
    return Parallelism.threads(threadCount).map(count: threadCount, grain: 1) { range in
      range.reduce(0 as UInt64) { sum, _ in sum &+ multiply_limit_run(level, unit, repetitions) }
    }
    .reduce(0, &+)
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
