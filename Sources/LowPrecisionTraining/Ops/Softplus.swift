internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// y = log(1 + exp(x + b)), the bias added in FP32 to every row.
  ///
  /// Letters: R rows, C channels. x, y: R x C, b: C.
  public func softplus(_ x: Activation, bias: Parameter? = nil) -> Activation {
    let (r, c) = (x.rowCount, x.columnCount)
    require(
      bias.map { $0.shape == [c] } ?? true,
      "a bias of shape \(bias?.shape ?? []) for rows of \(c)")
    let y = activation(x.shape)
    // x + b, which the derivative needs again.
    nonisolated(unsafe) let inner = bias == nil ? x.values : memory.floats(x.count)
    nonisolated(unsafe) let (kernels, input, output) = (execution.kernels, x.values, y.values)
    nonisolated(unsafe) let shift = bias?.values
    execution.forRows(r, columns: c) { rows in
      let first = rows.lowerBound * c
      if let shift {
        for row in rows { kernels.pointee.add(input + row * c, shift, c, inner + row * c) }
      }
      kernels.pointee.apply(BK_SOFTPLUS, inner + first, rows.count * c, output + first)
    }
    record(y, reading: bias.map { [$0] } ?? []) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let place = dx
        execution.forChunks(of: x.count) { range in
          let start = range.lowerBound
          kernels.pointee.apply_backward(
            BK_SOFTPLUS, inner + start, dy + start, range.count, place + start)
        }
        if let bias {
          addColumnSums(of: dx, rows: r, columns: c, to: bias.gradient, on: self)
        }
      }
    }
    return y
  }
}
