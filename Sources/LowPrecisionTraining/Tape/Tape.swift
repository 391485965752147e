public import BlockFormats
import CallerChecks

/// Reverse-mode differentiation: operations record how to go back through them, and `backward` does.
///
/// An operation is a method in `Ops/` that computes an activation and records one way back, which
/// finds the gradient of its result and adds to those of its operands. Nothing depends on the number of
/// threads: where gradients of many rows add up, they do so in parts of a fixed size.
public final class Tape {
  /// How operands of products are quantized.
  public var quantization: StepQuantization
  /// Whether operations record how to go back.
  public private(set) var isRecording = true
  /// What operations run on.
  let execution: Execution
  /// Where activations and their gradients are.
  let memory = StepMemory()
  /// The ways back through the recorded operations, in their order.
  private var waysBack: [() -> Void] = []
  /// What the recorded operations computed, until the memory of the step is taken back.
  private var computed: [ComputedTensor] = []

  /// Creates an empty tape.
  ///
  /// - Parameters:
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - quantization: how operands of products are quantized.
  public init(
    parallelism: Parallelism = .allCores, quantization: StepQuantization = StepQuantization()
  ) {
    self.quantization = quantization
    execution = Execution(parallelism: parallelism)
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

  /// Records an operation, to be gone back through if `result` has a gradient.
  ///
  /// - Parameters:
  ///   - result: what the operation computed.
  ///   - parameters: what it read besides activations, and adds to the gradients of.
  ///   - operation: its name.
  ///   - casts: recomputes the operands that it narrowed first; asked where the result is not finite.
  ///   - goBack: receives the gradient of the result.
  func record(
    _ result: Activation, reading parameters: [Parameter] = [],
    operation: String = #function, casts: @escaping () -> [CastOperand] = { [] },
    _ goBack: @escaping (UnsafeMutablePointer<Float>) -> Void
  ) {
    guard isRecording else { return }
    computed.append(
      ComputedTensor(
        operation: operation, parameters: parameters, activation: result, casts: casts))
    waysBack.append {
      if let gradient = result.gradient { goBack(gradient) }
    }
  }

  /// Adds `weight` times a loss to what `backward` differentiates, beside the result it starts from.
  ///
  /// Later operations come first on the way back, so the loss must have been computed already.
  ///
  /// - Precondition: a tensor of one number.
  public func minimise(_ loss: Activation, weight: Float) {
    require(loss.count == 1, "a loss of shape \(loss.shape) is not one number")
    guard isRecording else { return }
    waysBack.append { loss.accumulatedGradient()[0] += weight }
  }

  /// Goes back from a result: adds the gradient of `scale` times its sum to whatever it came from.
  public func backward(from result: Activation, scale: Float = 1) {
    result.accumulatedGradient().update(repeating: scale, count: result.count)
    for goBack in waysBack.reversed() { goBack() }
    waysBack.removeAll(keepingCapacity: true)
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
    waysBack.removeAll(keepingCapacity: true)
    computed.removeAll(keepingCapacity: true)
    quantization.draws.startOver()
    memory.reset()
  }
}
