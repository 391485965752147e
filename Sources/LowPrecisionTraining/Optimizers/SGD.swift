public import BlockFormats
internal import CTrainingKernels
import CallerChecks

/// Stochastic gradient descent with momentum, in FP32.
///
/// g' = g + λ w, m ← μ m + g', w ← w - η m. λ is 0 for parameters that are not decayed. Unlike AdamW's
/// decay, this one goes through the momentum.
///
/// Source: Sutskever et al., "On the importance of initialization and momentum in deep learning",
/// ICML 2013, in the form of torch.optim.SGD without dampening.
public final class SGD: Optimizer {
  /// μ.
  public let momentum: Float
  /// λ.
  public let weightDecay: Float
  /// The steps taken.
  public private(set) var stepCount = 0
  /// The parameters, in the order of the moments.
  public let parameters: [Parameter]
  private let moments: Moments

  /// Creates an optimizer with zero momentum.
  ///
  /// - Precondition: a momentum in 0..<1, and a finite weight decay of at least zero.
  public init(_ parameters: [Parameter], momentum: Float = 0.9, weightDecay: Float = 0) {
    require((0..<1).contains(momentum), "SGD with a momentum of \(momentum)")
    require(weightDecay >= 0 && weightDecay.isFinite, "SGD with a weight decay of \(weightDecay)")
    self.parameters = parameters
    self.momentum = momentum
    self.weightDecay = weightDecay
    moments = Moments("momentum", of: parameters)
  }

  /// Takes a step and sets gradients to zero; see `Optimizer`.
  @discardableResult
  public func step(
    learningRate: Float, clippingNorm: Double? = 1, parallelism: Parallelism = .allCores
  ) -> Double {
    stepCount += 1
    let norm = gradientNorm()
    let factor = clippingFactor(norm, clippingNorm)
    for (index, parameter) in parameters.enumerated() {
      let step = BKMomentum(
        gradient_scale: factor, momentum: momentum, learning_rate: learningRate,
        weight_decay: parameter.isDecayed ? weightDecay : 0)
      nonisolated(unsafe) let (kernels, parameter, moment) = (
        TrainingKernels.best.table, parameter, moments[index]
      )
      parallelism.forChunks(of: parameter.count) { range in
        let start = range.lowerBound
        var step = step
        kernels.pointee.momentum(
          &step, parameter.gradient + start, range.count, parameter.values + start, moment + start)
      }
      parameter.clearGradient()
    }
    return norm
  }

  /// The momentum of every parameter: `optimizer.momentum.NAME`.
  public var state: [String: Checkpoint.Array] { moments.state }

  /// Replaces the momentum; see `Optimizer`.
  public func restore(_ state: [String: Checkpoint.Array], stepCount: Int) {
    require(stepCount >= 0, "\(stepCount) steps taken")
    moments.restore(state)
    self.stepCount = stepCount
  }
}

extension OptimizerKind {
  /// Gradient descent with a momentum of 0.9.
  public static let sgd = OptimizerKind(id: "sgd") { SGD($0) }
}
