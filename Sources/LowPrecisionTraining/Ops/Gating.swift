internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// y · silu(z), number by number.
  ///
  /// - Precondition: equal shapes.
  public func gated(_ y: Activation, by z: Activation) -> Activation {
    require(y.shape == z.shape, "a gate of shape \(z.shape) for shape \(y.shape)")
    let result = activation(y.shape)
    nonisolated(unsafe) let (kernels, output) = (execution.kernels, result.values)
    nonisolated(unsafe) let (value, gate) = (y.values, z.values)
    execution.forChunks(of: y.count) { range in
      let start = range.lowerBound
      kernels.pointee.gate(BK_SILU, gate + start, value + start, range.count, output + start)
    }
    record(result) { [self] gradient in
      nonisolated(unsafe) let gradient = gradient
      contribute(to: [y, z]) { places in
        nonisolated(unsafe) let (dy, dz) = (places[0], places[1])
        execution.forChunks(of: y.count) { range in
          let start = range.lowerBound
          kernels.pointee.gate_backward(
            BK_SILU, gate + start, value + start, gradient + start, range.count, dz + start,
            dy + start)
        }
      }
    }
    return result
  }
}
