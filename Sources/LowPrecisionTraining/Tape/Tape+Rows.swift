import BlockFormats
internal import CTrainingKernels
import QuantizedLinearAlgebra

extension Tape {
  /// Numbers of an elementwise operation that are worth a task.
  private static let chunk = 1 << 15

  /// Runs `body` over ranges of numbers, in parallel.
  func forChunks(of count: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let chunk = Self.chunk
    parallelism.share((count + chunk - 1) / chunk) { _, index in
      body(index * chunk..<min((index + 1) * chunk, count))
    }
  }

  /// Runs `body` over ranges of rows, in parallel.
  func forRows(_ rows: Int, columns: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let band = max(1, Self.chunk / max(columns, 1))
    parallelism.share((rows + band - 1) / band) { _, index in
      body(index * band..<min((index + 1) * band, rows))
    }
  }

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
    let band = 64
    let bands = (rows + band - 1) / band
    let counts = gradients.map(\.count)
    memory.temporarily {
      nonisolated(unsafe) let parts = counts.map { memory.floats(bands * $0) }
      parallelism.share(bands) { _, index in
        let places = zip(parts, counts).map { $0 + index * $1 }
        for (place, count) in zip(places, counts) { place.update(repeating: 0, count: count) }
        body(index * band..<min((index + 1) * band, rows), places)
      }
      for (part, (gradient, count)) in zip(parts, gradients) {
        for index in 0..<bands {
          kernels.pointee.add(gradient, part + index * count, count, gradient)
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
    // Asked for first: they outlive the rest.
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
        nonisolated(unsafe) let (sum, part, kernels) = (pointer, contributions[index], kernels)
        forChunks(of: activation.count) { range in
          let start = range.lowerBound
          kernels.pointee.add(sum + start, part + start, range.count, sum + start)
        }
      }
    }
  }
}
