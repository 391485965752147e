public import BlockFormats
internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

/// What turns gradients into new parameters.
///
/// Its memory is `state`, which checkpoints keep: an optimizer with the state and the step count of
/// another goes on as that one would, bit for bit.
public protocol Optimizer: AnyObject {
  /// The parameters that steps change.
  var parameters: [Parameter] { get }
  /// The steps taken.
  var stepCount: Int { get }
  /// Takes a step and sets gradients to zero.
  ///
  /// - Parameters:
  ///   - learningRate: the factor on the update.
  ///   - clippingNorm: gradients are scaled down to this norm if theirs is larger; not if `nil`.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Returns: the norm of the gradients before clipping.
  @discardableResult
  func step(learningRate: Float, clippingNorm: Double?, parallelism: Parallelism) -> Double
  /// What steps remember of earlier ones, by name: `optimizer.first.` and the like, followed by
  /// the parameter's name.
  var state: [String: Checkpoint.Array] { get }
  /// Replaces what steps remember.
  ///
  /// - Parameters:
  ///   - state: arrays under names of `state`; others are left alone.
  ///   - stepCount: the steps taken.
  /// - Precondition: every name of `state` with its shape; at least 0 steps.
  func restore(_ state: [String: Checkpoint.Array], stepCount: Int)
}

extension Optimizer {
  /// The Euclidean norm of all gradients together.
  public func gradientNorm() -> Double {
    let kernels = TrainingKernels.best.table
    return parameters.reduce(0) { $0 + kernels.pointee.sum_of_squares($1.gradient, $1.count) }
      .squareRoot()
  }

  /// The factor on gradients that brings them down to a norm.
  func clippingFactor(_ norm: Double, _ clippingNorm: Double?) -> Float {
    guard let clippingNorm, norm > clippingNorm else { return 1 }
    return Float(clippingNorm / norm)
  }
}

/// One number for each of the parameters', zero at first.
final class Moments {
  /// The name in front of parameters' names.
  let prefix: String
  private let parameters: [Parameter]
  private let arrays: [UnsafeMutablePointer<Float>]

  init(_ name: String, of parameters: [Parameter]) {
    prefix = "optimizer.\(name)."
    self.parameters = parameters
    arrays = parameters.map {
      let made = UnsafeMutablePointer<Float>.allocate(capacity: max($0.count, 1))
      made.initialize(repeating: 0, count: max($0.count, 1))
      return made
    }
  }

  deinit {
    for array in arrays { array.deallocate() }
  }

  /// The numbers of a parameter, by its place.
  subscript(index: Int) -> UnsafeMutablePointer<Float> { arrays[index] }

  var state: [String: Checkpoint.Array] {
    Dictionary(
      uniqueKeysWithValues: zip(parameters, arrays).map { parameter, array in
        let values = Array(UnsafeBufferPointer(start: array, count: parameter.count))
        return (prefix + parameter.name, Checkpoint.Array(shape: parameter.shape, values: values))
      })
  }

  func restore(_ state: [String: Checkpoint.Array]) {
    for (parameter, array) in zip(parameters, arrays) {
      let name = prefix + parameter.name
      let given = state[name]
      require(
        given?.shape == parameter.shape,
        "\(name) of shape \(given?.shape ?? []) for a parameter of shape \(parameter.shape)")
      for (index, value) in (given?.values ?? []).enumerated() { array[index] = value }
    }
  }
}
