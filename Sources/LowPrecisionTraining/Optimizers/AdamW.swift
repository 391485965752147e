public import BlockFormats
internal import CTrainingKernels
import CallerChecks

/// AdamW: moments in FP32 with bias correction, and weight decay apart from the gradient.
///
/// m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g²; then
/// w ← (1 - η λ) w - η m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ). λ is 0 for parameters
/// that are not decayed.
///
/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv 1711.05101.
public final class AdamW: Optimizer {
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
  private let first: Moments
  private let second: Moments

  /// Creates an optimizer with zero moments.
  ///
  /// - Precondition: decays in 0..<1, `epsilon` above zero, a weight decay of at least zero; all
  ///   finite.
  public init(
    _ parameters: [Parameter], decays: (first: Float, second: Float) = (0.9, 0.95),
    epsilon: Float = 1e-8, weightDecay: Float = 0.1
  ) {
    require(
      (0..<1).contains(decays.first) && (0..<1).contains(decays.second),
      "AdamW with decays \(decays.first) and \(decays.second)")
    require(epsilon > 0 && epsilon.isFinite, "AdamW with an epsilon of \(epsilon)")
    require(
      weightDecay >= 0 && weightDecay.isFinite, "AdamW with a weight decay of \(weightDecay)")
    self.parameters = parameters
    self.decays = decays
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    first = Moments("first", of: parameters)
    second = Moments("second", of: parameters)
  }

  /// Takes a step and sets gradients to zero; see `Optimizer`.
  @discardableResult
  public func step(
    learningRate: Float, clippingNorm: Double? = 1, parallelism: Parallelism = .allCores
  ) -> Double {
    stepCount += 1
    let norm = gradientNorm()
    let factor = clippingFactor(norm, clippingNorm)
    let corrections = (
      first: 1 - Self.power(Double(decays.first), stepCount),
      second: 1 - Self.power(Double(decays.second), stepCount)
    )
    for (index, parameter) in parameters.enumerated() {
      let decay = parameter.isDecayed ? weightDecay : 0
      let step = BKAdamW(
        gradient_scale: factor, first_decay: decays.first, second_decay: decays.second,
        step: Float(Double(learningRate) / corrections.first),
        second_correction: Float(1 / corrections.second.squareRoot()), epsilon: epsilon,
        weight_factor: 1 - learningRate * decay)
      nonisolated(unsafe) let (kernels, parameter, first, second) = (
        TrainingKernels.best.table, parameter, first[index], second[index]
      )
      parallelism.forChunks(of: parameter.count) { range in
        let start = range.lowerBound
        var step = step
        kernels.pointee.adamw(
          &step, parameter.gradient + start, range.count, parameter.values + start, first + start,
          second + start)
      }
      parameter.clearGradient()
    }
    return norm
  }

  /// The moments of every parameter: `optimizer.first.NAME` and `optimizer.second.NAME`.
  public var state: [String: Checkpoint.Array] {
    first.state.merging(second.state) { one, _ in one }
  }

  /// Replaces the moments; see `Optimizer`.
  public func restore(_ state: [String: Checkpoint.Array], stepCount: Int) {
    require(stepCount >= 0, "\(stepCount) steps taken")
    first.restore(state)
    second.restore(state)
    self.stepCount = stepCount
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

extension OptimizerKind {
  /// AdamW with β₁ = 0.9, β₂ = 0.95, ε = 10⁻⁸ and a weight decay of 0.1.
  public static let adamW = OptimizerKind(id: "adamw") { AdamW($0) }
}
