public import BlockFormats
internal import CTrainingKernels
import CallerChecks
import QuantizedLinearAlgebra

/// Reverse-mode differentiation: operations append how to go back through them, and `backward` does.
///
/// An operation is a method in `Ops/` that computes an activation and records one step. A step finds
/// the gradient of its result and adds to those of its operands. Nothing depends on the number of
/// threads: where gradients of many rows add up, they do so in parts of a fixed size.
public final class Tape {
  /// How many threads may work; never changes a result.
  public let parallelism: Parallelism
  /// The random numbers of quantization.
  public var streams = RandomStreams(seed: 0)
  /// The step that random numbers are drawn for.
  public var step = 0
  /// How products of quantized operands are computed.
  public var arithmetic = ProductArithmetic.packed
  /// The errors of operands, collected where there is a place for them.
  public var operandErrors: OperandErrors?
  /// Whether operations record how to go back.
  public private(set) var isRecording = true
  let memory = StepMemory()
  let workspace = ProductWorkspace()
  let kernels = TrainingKernels.best.table
  var attention: [AttentionWorker]?
  private var steps: [() -> Void] = []
  /// What the recorded operations computed, until the memory of the step is taken back.
  private var computed: [ComputedTensor] = []
  /// How often operands were used in this step, by the key of their first use.
  private var uses: [StreamKey: Int] = [:]

  /// Creates an empty tape.
  public init(parallelism: Parallelism = .allCores) {
    self.parallelism = parallelism
  }

  /// The bytes that activations and their gradients have needed at most.
  public var activationByteCount: Int { memory.byteCount }

  /// An activation that nothing computes.
  ///
  /// - Precondition: no negative extent, and as many numbers as the shape has.
  public func constant(_ numbers: [Float], shape: [Int]) -> Activation {
    require(
      shape.allSatisfy { $0 >= 0 } && numbers.count == shape.reduce(1, *),
      "\(numbers.count) numbers for shape \(shape)")
    let result = activation(shape)
    for index in 0..<result.count { result.values[index] = numbers[index] }
    return result
  }

  /// An activation whose numbers are not set.
  func activation(_ shape: [Int]) -> Activation { Activation(shape: shape, memory: memory) }

  /// Appends a step, to be taken if `result` has a gradient.
  ///
  /// - Parameters:
  ///   - result: what the operation computed.
  ///   - parameters: what it read besides activations, and adds to the gradients of.
  ///   - operation: its name.
  ///   - casts: recomputes the operands that it narrowed first; asked where the result is not finite.
  ///   - step: receives the gradient of the result.
  func record(
    _ result: Activation, reading parameters: [Parameter] = [],
    operation: String = #function, casts: @escaping () -> [CastOperand] = { [] },
    _ step: @escaping (UnsafeMutablePointer<Float>) -> Void
  ) {
    guard isRecording else { return }
    computed.append(
      ComputedTensor(
        operation: operation, parameters: parameters, activation: result, casts: casts))
    steps.append {
      if let gradient = result.gradient { step(gradient) }
    }
  }

  /// Adds `weight` times a loss to what `backward` differentiates, beside the result it starts from.
  ///
  /// Later steps come first on the way back, so the loss must have been computed already.
  ///
  /// - Precondition: a tensor of one number.
  public func minimise(_ loss: Activation, weight: Float) {
    require(loss.count == 1, "a loss of shape \(loss.shape) is not one number")
    guard isRecording else { return }
    steps.append { loss.accumulatedGradient()[0] += weight }
  }

  /// The key of an operand's random bits: uses of the same operand in a step count from 0.
  func streamKey(
    _ tensor: TensorRole, _ product: ProductRole, _ quantization: LayerQuantization
  ) -> StreamKey {
    var key = StreamKey(
      layer: quantization.number, tensor: tensor, product: product, step: step)
    let use = uses[key, default: 0]
    uses[key] = use + 1
    key.use = use
    return key
  }

  /// Goes back from a result: adds the gradient of `scale` times its sum to whatever it came from.
  public func backward(from result: Activation, scale: Float = 1) {
    result.accumulatedGradient().update(repeating: scale, count: result.count)
    for step in steps.reversed() { step() }
    steps.removeAll(keepingCapacity: true)
  }

  /// Runs `body` without recording.
  public func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = isRecording
    isRecording = false
    defer { isRecording = before }
    return try body()
  }

  /// What was first not finite in a step that has not been reset: a parameter, then what operations
  /// computed in their order, then gradients on the way back; `nil` if everything is finite.
  ///
  /// Reads every number, so it is for steps that have failed.
  public func firstNotFinite(_ parameters: [Parameter]) -> NotFinite? {
    NotFinite.first(parameters, computed)
  }

  /// Forgets all activations; their memory serves the next step.
  public func reset() {
    steps.removeAll(keepingCapacity: true)
    computed.removeAll(keepingCapacity: true)
    uses.removeAll(keepingCapacity: true)
    memory.reset()
  }
}
