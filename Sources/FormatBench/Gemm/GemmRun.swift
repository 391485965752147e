import BlockFormats
import FormatMetrics
import QuantizedLinearAlgebra

/// Measures everything a plan names.
struct GemmRun {
  let plan: GemmPlan
  let clock: RepeatClock

  /// One measurement and what it is of.
  struct Row {
    var pair: GemmPair
    var shape: GemmShape
    var level: KernelLevel
    var threads: Int
    /// The unit that the formats' products run on.
    var unit: ProductUnit
    var measurement: GemmMeasurement
    /// The errors against the FP64 product of the FP32 operands.
    var errors: ErrorStatistics
  }

  /// The rows: shapes, pairs, levels, threads.
  ///
  /// - Parameter progress: called before each measurement with its number and subject.
  func rows(progress: (Int, String) -> Void = { _, _ in }) throws(CommandError) -> [Row] {
    var rows: [Row] = []
    for shape in plan.shapes {
      let input = GemmInput(shape, seed: plan.seed)
      for pair in plan.pairs {
        for level in plan.levels {
          let subject: GemmSubject
          do throws(ProductError) {
            subject = try GemmSubject(pair, input, level: level)
          } catch {
            throw .usage("\(pair) at \(shape): \(error)")
          }
          for threads in plan.threadCounts {
            progress(rows.count + 1, "\(pair) \(shape)")
            let measurement = subject.measure(threads: threads, clock: clock)
            rows.append(
              Row(
                pair: pair, shape: shape, level: level, threads: threads, unit: subject.unit,
                measurement: measurement,
                errors: ErrorStatistics(
                  original: input.reference, reconstruction: subject.measuredProduct)))
          }
        }
      }
    }
    return rows
  }
}
