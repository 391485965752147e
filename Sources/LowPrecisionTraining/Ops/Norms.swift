internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// y = x / sqrt(mean(x²) + ε) · w over rows.
  ///
  /// Letters: R rows, C channels. x, y: R x C, w: C.
  ///
  /// Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019.
  public func rmsNorm(_ x: Activation, weight: Parameter, epsilon: Float = 1e-5) -> Activation {
    let (r, c) = (x.rowCount, x.columnCount)
    require(weight.shape == [c], "a gain of shape \(weight.shape) for rows of \(c)")
    let y = activation(x.shape)
    nonisolated(unsafe) let (kernels, inverses) = (execution.kernels, memory.floats(r))
    nonisolated(unsafe) let (input, output, gain) = (x.values, y.values, weight.values)
    execution.forRows(r, columns: c) { rows in
      let first = rows.lowerBound
      var shape = BKRowShape(rows: rows.count, columns: c, stride: c)
      kernels.pointee.rms_norm(
        &shape, input + first * c, gain, epsilon, output + first * c, inverses + first)
    }
    record(y, reading: [weight]) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        sumOverBands(rows: r, into: [(weight.gradient, c)]) { rows, sums in
          let first = rows.lowerBound
          var shape = BKRowShape(rows: rows.count, columns: c, stride: c)
          kernels.pointee.rms_norm_backward(
            &shape, input + first * c, gain, inverses + first, dy + first * c,
            dx + first * c, sums[0])
        }
      }
    }
    return y
  }

  /// y = (x - mean) / sqrt(variance + ε) · w + b over rows.
  ///
  /// Letters: R rows, C channels. x, y: R x C, w, b: C.
  ///
  /// Source: Ba, Kiros and Hinton, "Layer normalization", arXiv 1607.06450.
  public func layerNorm(
    _ x: Activation, weight: Parameter, bias: Parameter, epsilon: Float = 1e-5
  ) -> Activation {
    let (r, c) = (x.rowCount, x.columnCount)
    require(
      weight.shape == [c] && bias.shape == [c],
      "gain and bias of shapes \(weight.shape) and \(bias.shape) for rows of \(c)")
    let y = activation(x.shape)
    nonisolated(unsafe) let (kernels, means, inverses) = (
      execution.kernels, memory.floats(r), memory.floats(r)
    )
    nonisolated(unsafe) let (input, output, gain, shift) = (
      x.values, y.values, weight.values, bias.values
    )
    execution.forRows(r, columns: c) { rows in
      let first = rows.lowerBound
      var shape = BKRowShape(rows: rows.count, columns: c, stride: c)
      kernels.pointee.layer_norm(
        &shape, input + first * c, gain, shift, epsilon, output + first * c, means + first,
        inverses + first)
    }
    record(y, reading: [weight, bias]) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        sumOverBands(rows: r, into: [(weight.gradient, c), (bias.gradient, c)]) { rows, sums in
          let first = rows.lowerBound
          var shape = BKRowShape(rows: rows.count, columns: c, stride: c)
          kernels.pointee.layer_norm_backward(
            &shape, input + first * c, gain, means + first, inverses + first, dy + first * c,
            dx + first * c, sums[0], sums[1])
        }
      }
    }
    return y
  }
}
