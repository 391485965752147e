import CallerChecks

/// Numbers that training changes: FP32 master values with the gradient of a step.
public final class Parameter {
  /// The name in checkpoints, such as `blocks.0.attention.qkv.weight`.
  public let name: String
  /// The extents, outermost first.
  public let shape: [Int]
  /// Whether weight decay applies: to matrices, not to gains and biases.
  public let isDecayed: Bool
  let values: UnsafeMutablePointer<Float>
  let gradient: UnsafeMutablePointer<Float>

  /// The number of numbers.
  public var count: Int { shape.reduce(1, *) }

  /// Creates a parameter.
  ///
  /// - Precondition: no negative extent, and as many values as the product of the extents.
  public init(_ name: String, shape: [Int], values: [Float], isDecayed: Bool) {
    let count = shape.reduce(1, *)
    require(
      shape.allSatisfy { $0 >= 0 } && values.count == count,
      "\(values.count) numbers for parameter \(name) of shape \(shape)")
    self.name = name
    self.shape = shape
    self.isDecayed = isDecayed
    self.values = .allocate(capacity: max(count, 1))
    gradient = .allocate(capacity: max(count, 1))
    for index in 0..<count { self.values[index] = values[index] }
    gradient.initialize(repeating: 0, count: max(count, 1))
  }

  deinit {
    values.deallocate()
    gradient.deallocate()
  }

  /// Sets the gradient to zero.
  public func clearGradient() { gradient.update(repeating: 0, count: count) }

  /// The numbers as an array.
  public var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }
  /// The gradient as an array.
  public var gradientArray: [Float] {
    Array(UnsafeBufferPointer(start: gradient, count: count))
  }

  /// Replaces the numbers.
  ///
  /// - Precondition: as many as there are.
  public func replace(with numbers: [Float]) {
    require(
      numbers.count == count, "\(numbers.count) numbers for parameter \(name) of shape \(shape)")
    for index in 0..<count { values[index] = numbers[index] }
  }
}
