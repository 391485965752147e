public import BlockFormats
internal import CTrainingKernels
import QuantizedLinearAlgebra

/// AdamW: moments in FP32 with bias correction, and weight decay apart from the gradient.
///
/// m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g²; then
/// w ← (1 - η λ) w - η m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ). λ is 0 for parameters
/// that are not decayed.
///
/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv 1711.05101.
public final class AdamW {
  /// β₁ and β₂.
  public let decays: (first: Float, second: Float)
  /// ε.
  public let epsilon: Float
  /// λ.
  public let weightDecay: Float
  /// The steps taken.
  public private(set) var stepCount = 0
  /// The parameters, in the order of the moments.
  public let parameters: [Parameter]
  private let moments: [(first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>)]
  private let kernels: UnsafePointer<BKTrainingKernels>

  /// Creates an optimizer with zero moments.
  public init(
    _ parameters: [Parameter], decays: (first: Float, second: Float) = (0.9, 0.95),
    epsilon: Float = 1e-8, weightDecay: Float = 0.1
  ) {
    self.parameters = parameters
    self.decays = decays
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    kernels = TrainingKernels.best.table
    moments = parameters.map { parameter in
      func zeros() -> UnsafeMutablePointer<Float> {
        let made = UnsafeMutablePointer<Float>.allocate(capacity: max(parameter.count, 1))
        made.initialize(repeating: 0, count: max(parameter.count, 1))
        return made
      }
      return (zeros(), zeros())
    }
  }

  deinit {
    for moment in moments {
      moment.first.deallocate()
      moment.second.deallocate()
    }
  }

  /// The Euclidean norm of all gradients together.
  public func gradientNorm() -> Double {
    parameters.reduce(0) { $0 + kernels.pointee.sum_of_squares($1.gradient, $1.count) }
      .squareRoot()
  }

  /// Takes a step and sets gradients to zero.
  ///
  /// - Parameters:
  ///   - learningRate: η.
  ///   - clippingNorm: gradients are scaled down to this norm if theirs is larger; not if `nil`.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Returns: the norm of the gradients before clipping.
  @discardableResult
  public func step(
    learningRate: Float, clippingNorm: Double? = 1, parallelism: Parallelism = .allCores
  ) -> Double {
    stepCount += 1
    let norm = gradientNorm()
    var scale: Float = 1
    if let clippingNorm, norm > clippingNorm { scale = Float(clippingNorm / norm) }
    let corrections = (
      first: 1 - Self.power(Double(decays.first), stepCount),
      second: 1 - Self.power(Double(decays.second), stepCount)
    )
    let chunk = 1 << 15
    for (parameter, moment) in zip(parameters, moments) {
      let decay = parameter.isDecayed ? weightDecay : 0
      let step = BKAdamW(
        gradient_scale: scale, first_decay: decays.first, second_decay: decays.second,
        step: Float(Double(learningRate) / corrections.first),
        second_correction: Float(1 / corrections.second.squareRoot()), epsilon: epsilon,
        weight_factor: 1 - learningRate * decay)
      nonisolated(unsafe) let (kernels, moment, parameter) = (kernels, moment, parameter)
      let count = parameter.count
      parallelism.share((count + chunk - 1) / chunk) { _, index in
        let start = index * chunk
        var step = step
        kernels.pointee.adamw(
          &step, parameter.gradient + start, min(chunk, count - start), parameter.values + start,
          moment.first + start, moment.second + start)
      }
      parameter.clearGradient()
    }
    return norm
  }

  /// x^n by squaring.
  private static func power(_ x: Double, _ n: Int) -> Double {
    var (result, base, rest) = (1.0, x, n)
    while rest > 0 {
      if rest % 2 == 1 { result *= base }
      base *= base
      rest /= 2
    }
    return result
  }
}
