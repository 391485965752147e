/// The tensor of a training step that was the first with an infinity or a NaN, and where it has it.
public struct NotFinite: Hashable, Sendable, CustomStringConvertible {
  /// The tensor, such as `the gradient of blocks.0.mlp.up.weight`.
  public let tensor: String
  /// The place of the first such number, row-major.
  public let index: Int
  /// The number.
  public let value: Float

  /// One line with tensor, number and place.
  public var description: String {
    "\(tensor) is the first thing that is not finite (\(value) at \(index))"
  }

  /// Looks at parameters, at results in the order of operations, each after the casts of its operands,
  /// and at gradients in the order in which the way back finds them: of a result once all that read it
  /// have added to it, then of the parameters that its operation read.
  static func first(_ parameters: [Parameter], _ computed: [ComputedTensor]) -> NotFinite? {
    for parameter in parameters {
      if let found = NotFinite(parameter.name, parameter.values, parameter.count) { return found }
    }
    let names = ComputedTensor.names(computed)
    for (tensor, name) in zip(computed, names) {
      let activation = tensor.activation
      guard let found = NotFinite(name, activation.values, activation.count) else { continue }
      // Whatever the operation read is finite, but may not have survived its cast.
      for cast in tensor.casts() {
        if let found = NotFinite(cast.name, cast.numbers, cast.numbers.count) { return found }
      }
      return found
    }
    for (tensor, name) in zip(computed, names).reversed() {
      let activation = tensor.activation
      if let gradient = activation.gradient,
        let found = NotFinite("the gradient of \(name)", gradient, activation.count)
      {
        return found
      }
      for parameter in tensor.parameters {
        let name = "the gradient of \(parameter.name)"
        if let found = NotFinite(name, parameter.gradient, parameter.count) { return found }
      }
    }
    return nil
  }

  /// `nil` where all numbers are finite.
  private init?(_ tensor: String, _ values: UnsafePointer<Float>, _ count: Int) {
    guard let index = (0..<count).first(where: { !values[$0].isFinite }) else { return nil }
    self.tensor = tensor
    self.index = index
    value = values[index]
  }
}

/// An operand of a product after its cast.
struct CastOperand {
  /// As in errors, such as `the input of blocks.0.mlp.up as fp8_e4m3_tensor`.
  let name: String
  /// Decoded.
  let numbers: [Float]
}

/// What an operation of a tape computed.
struct ComputedTensor {
  /// The function that did, with the labels of its arguments.
  let operation: String
  /// What it read besides activations.
  let parameters: [Parameter]
  let activation: Activation
  /// Recomputes the operands that the operation narrowed before it read them.
  let casts: () -> [CastOperand]

  /// The name of each in errors, such as `the result of rmsNorm with norm.weight`; operations without
  /// parameters are named after the last one that had some.
  static func names(_ computed: [ComputedTensor]) -> [String] {
    var last = ""
    return computed.map { tensor in
      let operation = tensor.operation.prefix { $0 != "(" }
      if let parameter = tensor.parameters.first {
        last = " after \(parameter.name)"
        return "the result of \(operation) with \(parameter.name)"
      }
      return "the result of \(operation)\(last)"
    }
  }
}
