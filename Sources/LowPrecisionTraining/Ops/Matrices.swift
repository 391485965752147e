internal import CTrainingKernels
import QuantizedLinearAlgebra

/// Adds the sum of every column to `sums`, bands of rows in order.
func addColumnSums(
  of values: UnsafePointer<Float>, rows: Int, columns: Int,
  to sums: UnsafeMutablePointer<Float>, on tape: Tape
) {
  nonisolated(unsafe) let (values, kernels) = (values, tape.execution.kernels)
  tape.sumOverBands(rows: rows, into: [(sums, columns)]) { range, places in
    var shape = BKRowShape(rows: range.count, columns: columns, stride: columns)
    kernels.pointee.add_rows(&shape, values + range.lowerBound * columns, places[0])
  }
}

/// The columns that a task turns into rows: a multiple of every level's vector, so that only the last
/// task has a rest.
private let columnsOfTask = 64

/// Writes the transpose of a row-major matrix.
func transpose(
  _ values: UnsafePointer<Float>, rows: Int, columns: Int,
  into result: UnsafeMutablePointer<Float>, on tape: Tape
) {
  let band = columnsOfTask
  nonisolated(unsafe) let (values, result, kernels) = (values, result, tape.execution.kernels)
  tape.execution.parallelism.share((columns + band - 1) / band) { _, index in
    let first = index * band
    kernels.pointee.transpose(
      values + first, rows, min(band, columns - first), columns, result + first * rows, rows)
  }
}
