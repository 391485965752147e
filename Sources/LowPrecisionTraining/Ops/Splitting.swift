internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// Ranges of the columns of x, each as an activation of its own.
  ///
  /// Letters: R rows, C channels, C_i channels of part i. x: R x C, parts: R x C_i.
  ///
  /// - Precondition: positive C_i that add up to C.
  public func split(_ x: Activation, columns: [Int]) -> [Activation] {
    let (r, c) = (x.rowCount, x.columnCount)
    require(
      columns.allSatisfy { $0 > 0 } && columns.reduce(0, +) == c,
      "columns of \(columns) are no parts of rows of \(c) numbers")
    var first = 0
    return columns.map { count in
      defer { first += count }
      return slice(x, rows: r, stride: c, first: first, count: count)
    }
  }

  private func slice(
    _ x: Activation, rows: Int, stride: Int, first: Int, count: Int
  ) -> Activation {
    let y = activation(Array(x.shape.dropLast()) + [count])
    nonisolated(unsafe) let (input, output, kernels) = (
      x.values + first, y.values, execution.kernels
    )
    execution.forRows(rows, columns: count) { range in
      for row in range {
        (output + row * count).update(from: input + row * stride, count: count)
      }
    }
    record(y) { [self] dy in
      // The other parts' columns get nothing from this one.
      nonisolated(unsafe) let (dx, dy) = (x.accumulatedGradient() + first, dy)
      execution.forRows(rows, columns: count) { range in
        for row in range {
          let place = dx + row * stride
          kernels.pointee.add(place, dy + row * count, count, place)
        }
      }
    }
    return y
  }
}
