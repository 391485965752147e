import BlockFormats
internal import CKernelLevels
internal import CTrainingKernels
import CallerChecks

/// The kernels of training of one level.
struct TrainingKernels: @unchecked Sendable {
  let table: UnsafePointer<BKTrainingKernels>

  /// Those of the level in use.
  static let best = TrainingKernels(.best)

  /// - Precondition: the machine supports the level.
  init(_ level: KernelLevel) {
    let code = BKLevel(rawValue: numericCast(level.number))
    table = bk_training_kernels(code)
    require(table.pointee.level == code, "no kernels for level \(level.id)")
  }
}

extension TrainingKernels {
  /// f(x), the same bits on every machine.
  func apply(_ function: BKFunction, to x: [Float]) -> [Float] {
    var y = x
    table.pointee.apply(function, x, x.count, &y)
    return y
  }
}
