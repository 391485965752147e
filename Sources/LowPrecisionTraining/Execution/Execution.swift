import BlockFormats
internal import CTrainingKernels
import QuantizedLinearAlgebra

/// What operations run on: threads, the machine's kernels, and scratch memory that calls reuse.
///
/// It decides how long a step takes, and no bit of it.
final class Execution {
  /// How many threads may work.
  let parallelism: Parallelism
  /// The kernels of the level in use.
  let kernels = TrainingKernels.best.table
  /// The scratch memory of products.
  let workspace = ProductWorkspace()
  /// The scratch memory of operations that have some, by its type.
  private var kept: [ObjectIdentifier: Any] = [:]

  init(parallelism: Parallelism) {
    self.parallelism = parallelism
  }

  /// The scratch memory that an earlier call made, or, if that does not fit, new memory to be kept.
  ///
  /// - Parameters:
  ///   - fits: whether kept memory serves this call.
  ///   - make: makes memory that does.
  func scratch<Scratch>(where fits: (Scratch) -> Bool, orMake make: () -> Scratch) -> Scratch {
    let key = ObjectIdentifier(Scratch.self)
    if let found = kept[key] as? Scratch, fits(found) { return found }
    let made = make()
    kept[key] = made
    return made
  }

  /// Runs `body` over ranges of numbers, in parallel.
  func forChunks(of count: Int, _ body: @Sendable (Range<Int>) -> Void) {
    parallelism.forChunks(of: count, body)
  }

  /// Runs `body` over ranges of rows, in parallel.
  func forRows(_ rows: Int, columns: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let band = max(1, Parallelism.elementwiseGrain / max(columns, 1))
    parallelism.share((rows + band - 1) / band) { _, index in
      body(index * band..<min((index + 1) * band, rows))
    }
  }
}

extension Parallelism {
  /// The numbers of an elementwise operation that are worth a task: 128 KiB of each operand, so that
  /// threads move memory for much longer than they are handed tasks.
  static let elementwiseGrain = 1 << 15

  /// Runs `body` over ranges of numbers, in parallel.
  func forChunks(of count: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let grain = Self.elementwiseGrain
    share((count + grain - 1) / grain) { _, index in
      body(index * grain..<min((index + 1) * grain, count))
    }
  }
}
