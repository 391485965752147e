internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// u / sqrt(mean(u²) + ε) · w over groups of every row, u = y · silu(z): the gate comes first.
  ///
  /// Letters: R rows, C channels in G groups of C / G. y, z and the result: R x C, w: C.
  ///
  /// Source: Dao and Gu, arXiv 2405.21060, section 7.1; `RMSNormGated` of their code with
  /// `norm_before_gate` off.
  ///
  /// - Precondition: equal shapes, and G divides C.
  public func gatedRMSNorm(
    _ y: Activation, by z: Activation, weight: Parameter, groupCount: Int,
    epsilon: Float = 1e-5
  ) -> Activation {
    let (r, c) = (y.rowCount, y.columnCount)
    require(y.shape == z.shape, "a gate of shape \(z.shape) for shape \(y.shape)")
    require(weight.shape == [c], "a gain of shape \(weight.shape) for rows of \(c)")
    require(groupCount > 0 && c % groupCount == 0, "\(groupCount) groups of \(c) channels")
    let (result, size) = (activation(y.shape), c / groupCount)
    nonisolated(unsafe) let (kernels, inverses) = (execution.kernels, memory.floats(r * groupCount))
    nonisolated(unsafe) let (value, gate, gain) = (y.values, z.values, weight.values)
    nonisolated(unsafe) let output = result.values
    execution.forRows(r, columns: c) { rows in
      let start = rows.lowerBound * c
      kernels.pointee.gate(
        BK_SILU, gate + start, value + start, rows.count * c, output + start)
      var shape = BKRowShape(rows: rows.count, columns: size, stride: c)
      for group in 0..<groupCount {
        let place = output + start + group * size
        kernels.pointee.rms_norm(
          &shape, place, gain + group * size, epsilon, place,
          inverses + group * r + rows.lowerBound)
      }
    }
    record(result, reading: [weight]) { [self] gradient in
      nonisolated(unsafe) let gradient = gradient
      contribute(to: [y, z]) { places in
        nonisolated(unsafe) let (dy, dz) = (places[0], places[1])
        sumOverBands(rows: r, into: [(weight.gradient, c)]) { rows, sums in
          // u again, in the place of dz; its derivative in that of dy.
          let (start, count) = (rows.lowerBound * c, rows.count * c)
          kernels.pointee.gate(BK_SILU, gate + start, value + start, count, dz + start)
          var shape = BKRowShape(rows: rows.count, columns: size, stride: c)
          for group in 0..<groupCount {
            let (first, place) = (group * size, start + group * size)
            kernels.pointee.rms_norm_backward(
              &shape, dz + place, gain + first, inverses + group * r + rows.lowerBound,
              gradient + place, dy + place, sums[0] + first)
          }
          kernels.pointee.gate_backward(
            BK_SILU, gate + start, value + start, dy + start, count, dz + start, dy + start)
        }
      }
    }
    return result
  }
}
