import BlockFormats
import CommandLineToolkit
import FormatMetrics
import QuantizedLinearAlgebra

/// Measures everything a plan names.
struct GemmRun {
  let plan: GemmPlan
  let clock: RepeatClock

  /// One product and what is known of it.
  struct Row {
    var pair: GemmPair
    var shape: GemmShape
    /// The unit that the formats' products run on.
    var unit: ProductUnit
    var accumulator: Accumulator
    /// The level whose kernels multiplied; `nil` for the reference.
    var level: KernelLevel?
    var threads: Int
    /// The speed of kernels.
    var measurement: GemmMeasurement?
    /// The errors against the FP64 product of the FP32 operands.
    var errors: ErrorStatistics
    /// The errors against the exact product of the operands as they are quantized.
    var productErrors: ErrorStatistics?
  }

  /// The rows: shapes, pairs, accumulators, levels, threads.
  ///
  /// - Parameter progress: called before each row with its number and subject.
  /// - Throws: where blocks do not fit, as `GemmPlan.check()` does.
  func rows(progress: (Int, String) -> Void = { _, _ in }) throws(CommandError) -> [Row] {
    try plan.check()
    var rows: [Row] = []
    for shape in plan.shapes {
      let input = GemmInput(shape, seed: plan.seed)
      for pair in plan.pairs {
        do throws(ProductError) {
          rows += try self.rows(pair, input) { number in
            progress(rows.count + number, "\(pair) \(shape)")
          }
        } catch {
          throw .usage("\(pair) at \(shape): \(error)")
        }
      }
    }
    return rows
  }

  private func rows(
    _ pair: GemmPair, _ input: GemmInput, progress: (Int) -> Void
  ) throws(ProductError) -> [Row] {
    let unit = try ProductDefinition(a: pair.a, b: pair.b, depth: input.shape.depth).unit
    let needsReference = plan.accumulators.contains { $0 != .float32 } || plan.showsProductErrors
    let reference = needsReference ? try pair.reference(input) : nil
    let exact = plan.showsProductErrors ? reference?.product(.exact) : nil
    var rows: [Row] = []
    func append(
      _ accumulator: Accumulator, _ level: KernelLevel?, threads: Int,
      _ measurement: GemmMeasurement?, _ product: [Float]
    ) {
      rows.append(
        Row(
          pair: pair, shape: input.shape, unit: unit, accumulator: accumulator, level: level,
          threads: threads, measurement: measurement,
          errors: ErrorStatistics(original: input.reference, reconstruction: product),
          productErrors: exact.map { ErrorStatistics(original: $0, reconstruction: product) }))
    }
    for accumulator in plan.accumulators {
      guard accumulator == .float32 else {
        progress(rows.count + 1)
        let product = reference?.product(accumulator) ?? []
        append(accumulator, nil, threads: Parallelism.allCores.threadCount, nil, product)
        continue
      }
      for level in plan.levels {
        let subject = try GemmSubject(pair, input, level: level)
        for threads in plan.threadCounts {
          progress(rows.count + 1)
          let measurement = subject.measure(threads: threads, clock: clock)
          append(accumulator, level, threads: threads, measurement, subject.measuredProduct)
        }
      }
    }
    return rows
  }
}

extension GemmPair {
  /// The measured rows by the reference.
  fileprivate func reference(_ input: GemmInput) throws(ProductError) -> ReferenceRows {
    func operand(_ format: OperandFormat, _ values: Tensor) -> ProductOperand {
      switch format {
      case .float32: .float32(values)
      case .quantized(let format): .quantized(QuantizedMatrix(values, format: format))
      }
    }
    return try ReferenceRows(
      operand(a, input.a), transposed: operand(b, input.b), rows: input.measuredRows)
  }
}
