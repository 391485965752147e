import BlockFormats
internal import CTrainingKernels
import QuantizedLinearAlgebra

extension Tape {
  /// The rows whose contributions to a parameter's gradient are summed by themselves: their sums take a
  /// 64th of the memory of the rows, and a short batch still has work for several threads.
  ///
  /// Part of what a step computes: another number is another order of sums.
  private static let rowsOfBand = 64

  /// Sums what bands of rows contribute to the gradient of a parameter, band after band.
  ///
  /// The bands have a fixed number of rows, so that sums do not depend on threads.
  ///
  /// - Parameters:
  ///   - gradients: where the sums of one band, `counts[i]` numbers each, are added.
  ///   - body: adds the contributions of a band of rows to zeroed numbers.
  func sumOverBands(
    rows: Int, into gradients: [(UnsafeMutablePointer<Float>, count: Int)],
    _ body: @Sendable (Range<Int>, [UnsafeMutablePointer<Float>]) -> Void
  ) {
    let band = Self.rowsOfBand
    let bands = (rows + band - 1) / band
    let counts = gradients.map(\.count)
    memory.temporarily {
      nonisolated(unsafe) let parts = counts.map { memory.floats(bands * $0) }
      execution.parallelism.share(bands) { _, index in
        let places = zip(parts, counts).map { $0 + index * $1 }
        for (place, count) in zip(places, counts) { place.update(repeating: 0, count: count) }
        body(index * band..<min((index + 1) * band, rows), places)
      }
      for (part, (gradient, count)) in zip(parts, gradients) {
        for index in 0..<bands {
          execution.kernels.pointee.add(gradient, part + index * count, count, gradient)
        }
      }
    }
  }

  /// Adds to the gradient of an activation what `body` writes.
  ///
  /// - Parameter body: sets every number of the contribution; what memory it asks for is taken back.
  func contribute(
    to activation: Activation, _ body: (UnsafeMutablePointer<Float>) -> Void
  ) {
    contribute(to: [activation]) { body($0[0]) }
  }

  /// Adds to the gradients of several activations, in order, what `body` writes.
  ///
  /// - Parameter body: sets every number of every contribution; what memory it asks for is taken back.
  func contribute(
    to activations: [Activation], _ body: ([UnsafeMutablePointer<Float>]) -> Void
  ) {
    // Allocated before the temporary memory below, since gradients stay when that is taken back.
    let targets = activations.map { $0.gradientTarget() }
    memory.temporarily {
      let contributions = zip(activations, targets).map { activation, target in
        switch target {
        case .fresh(let pointer): pointer
        case .started: memory.floats(activation.count)
        }
      }
      body(contributions)
      for (index, activation) in activations.enumerated() {
        guard case .started(let pointer) = targets[index] else { continue }
        nonisolated(unsafe) let (sum, part, kernels) = (
          pointer, contributions[index], execution.kernels
        )
        execution.forChunks(of: activation.count) { range in
          let start = range.lowerBound
          kernels.pointee.add(sum + start, part + start, range.count, sum + start)
        }
      }
    }
  }
}
