internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// z = x + y, as after a block that a residual stream goes around.
  ///
  /// - Precondition: equal shapes.
  public func sum(_ x: Activation, _ y: Activation) -> Activation {
    require(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) do not add up")
    let z = activation(x.shape)
    nonisolated(unsafe) let (a, b, c, kernels) = (x.values, y.values, z.values, execution.kernels)
    execution.forChunks(of: z.count) { range in
      let start = range.lowerBound
      kernels.pointee.add(a + start, b + start, range.count, c + start)
    }
    record(z) { [self] dz in
      for operand in [x, y] {
        contribute(to: operand) { $0.update(from: dz, count: operand.count) }
      }
    }
    return z
  }
}
