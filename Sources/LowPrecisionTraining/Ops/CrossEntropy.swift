internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// The mean over targets of -log softmax(x)[target], in nats: a tensor of one number.
  ///
  /// Letters: R rows, V tokens. x: R x V. Targets below zero are left out of the mean; without any
  /// target the loss is 0.
  ///
  /// - Precondition: R targets below V.
  public func crossEntropy(_ x: Activation, targets: [Int32]) -> Activation {
    let (r, v) = (x.rowCount, x.columnCount)
    require(targets.count == r, "\(targets.count) targets for \(r) rows")
    require(
      targets.allSatisfy { $0 < v }, "a target of \(targets.max() ?? 0) among \(v) tokens")
    let count = targets.count { $0 >= 0 }
    let weight = count == 0 ? 0 : 1 / Float(count)
    let loss = activation([1])
    nonisolated(unsafe) let (kernels, input) = (execution.kernels, x.values)
    nonisolated(unsafe) let losses = memory.floats(r)
    // The derivative costs little once the row is at hand.
    nonisolated(unsafe) let derivative = isRecording ? memory.floats(x.count) : nil
    execution.forRows(r, columns: v) { rows in
      let first = rows.lowerBound
      var shape = BKRowShape(rows: rows.count, columns: v, stride: v)
      targets.withUnsafeBufferPointer { targets in
        guard let targets = targets.baseAddress else { return }
        kernels.pointee.cross_entropy(
          &shape, input + first * v, targets + first, weight, losses + first,
          derivative.map { $0 + first * v })
      }
    }
    let total = (0..<r).reduce(0.0) { $0 + Double(losses[$1]) }
    loss.values[0] = Float(total * (count == 0 ? 0 : 1 / Double(count)))
    record(loss) { [self] dloss in
      let factor = dloss[0]
      guard let derivative else { return }
      nonisolated(unsafe) let places = derivative
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        execution.forChunks(of: x.count) { range in
          let start = range.lowerBound
          kernels.pointee.scale(places + start, factor, range.count, dx + start)
        }
      }
    }
    return loss
  }
}
