import BlockFormats
internal import CBlockKernels
internal import CTrainingKernels
import CallerChecks

/// The kernels of training of one level.
struct TrainingKernels: @unchecked Sendable {
  let table: UnsafePointer<BKTrainingKernels>

  /// Those of the level in use.
  static let best = TrainingKernels(.best)

  /// - Precondition: the machine supports the level.
  init(_ level: KernelLevel) {
    require(KernelLevel.supported.contains(level), "no kernels for level \(level.id)")
    table = bk_training_kernels(BKLevel(rawValue: numericCast(level.number)))
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
