internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

extension Tape {
  /// y[t][c] = b[c] + Σ_k w[k][c] x[t - 3 + k][c], where x is 0 before the first step: a convolution
  /// of every channel by itself.
  ///
  /// Letters: B sequences, T steps, C channels. x, y: B x T x C, w: 4 x C, b: C.
  public func causalConvolution(
    _ x: Activation, weight: Parameter, bias: Parameter? = nil
  ) -> Activation {
    require(x.shape.count == 3, "an input of shape \(x.shape) is no sequences of steps")
    let (b, t, c) = (x.shape[0], x.shape[1], x.columnCount)
    require(
      weight.shape == [Int(BK_TAPS), c] && bias.map { $0.shape == [c] } ?? true,
      "weight and bias of shapes \(weight.shape) and \(bias?.shape ?? []) for \(c) channels")
    let y = activation(x.shape)
    nonisolated(unsafe) let (kernels, input, output) = (execution.kernels, x.values, y.values)
    nonisolated(unsafe) let (taps, shift) = (weight.values, bias?.values)
    execution.parallelism.share(b) { _, sequence in
      var shape = BKSequence(steps: t, channels: c, stride: c)
      let first = sequence * t * c
      kernels.pointee.convolve(&shape, input + first, taps, shift, output + first)
    }
    record(y, reading: [weight] + (bias.map { [$0] } ?? [])) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        // Every sequence has sums of its own, added in order of the sequences.
        let (tapCount, hasBias) = (weight.count, bias != nil)
        nonisolated(unsafe) let taps = (values: weight.values, sums: memory.floats(b * tapCount))
        nonisolated(unsafe) let shiftSums = memory.floats(b * c)
        execution.parallelism.share(b) { _, sequence in
          var shape = BKSequence(steps: t, channels: c, stride: c)
          let first = sequence * t * c
          let (tapSums, sums) = (taps.sums + sequence * tapCount, shiftSums + sequence * c)
          tapSums.update(repeating: 0, count: tapCount)
          sums.update(repeating: 0, count: c)
          kernels.pointee.convolve_backward(
            &shape, input + first, taps.values, dy + first, dx + first, tapSums,
            hasBias ? sums : nil)
        }
        for sequence in 0..<b {
          kernels.pointee.add(
            weight.gradient, taps.sums + sequence * tapCount, tapCount, weight.gradient)
          if let bias {
            kernels.pointee.add(bias.gradient, shiftSums + sequence * c, c, bias.gradient)
          }
        }
      }
    }
    return y
  }
}
