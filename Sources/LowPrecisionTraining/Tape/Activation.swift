/// Numbers that a step computes, with their gradient once the tape has come back to them.
///
/// Both live in the memory of the step.
public final class Activation {
  /// The extents, outermost first.
  public let shape: [Int]
  /// The numbers, row-major.
  let values: UnsafeMutablePointer<Float>
  /// The derivative of the loss by each number; `nil` until something has been added.
  private(set) var gradient: UnsafeMutablePointer<Float>?
  private let memory: StepMemory

  /// The number of numbers.
  public var count: Int { shape.reduce(1, *) }
  /// The extent of the last axis.
  var columnCount: Int { shape.last ?? 1 }
  /// The rows of the last axis.
  var rowCount: Int { shape.dropLast().reduce(1, *) }

  init(shape: [Int], memory: StepMemory) {
    self.shape = shape
    self.memory = memory
    values = memory.floats(shape.reduce(1, *))
  }

  /// A view of the same numbers, and later of the same gradient, in another shape.
  ///
  /// Views are made before anything is computed with the original, and take its place.
  init(_ other: Activation, shape: [Int]) {
    self.shape = shape
    memory = other.memory
    values = other.values
  }

  /// The gradient to add to, with what its first contribution finds there.
  enum Target {
    /// Nothing yet: numbers are to be set.
    case fresh(UnsafeMutablePointer<Float>)
    /// Numbers to add to.
    case started(UnsafeMutablePointer<Float>)

    var pointer: UnsafeMutablePointer<Float> {
      switch self {
      case .fresh(let pointer), .started(let pointer): pointer
      }
    }
  }

  /// Where a contribution to the gradient goes.
  func gradientTarget() -> Target {
    if let gradient { return .started(gradient) }
    let made = memory.floats(count)
    gradient = made
    return .fresh(made)
  }

  /// The gradient to add to, zero at first.
  func accumulatedGradient() -> UnsafeMutablePointer<Float> {
    switch gradientTarget() {
    case .started(let pointer): return pointer
    case .fresh(let pointer):
      pointer.update(repeating: 0, count: count)
      return pointer
    }
  }

  /// The numbers as an array.
  public var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// The gradient as an array; `nil` where the loss does not depend on the numbers.
  public var gradientArray: [Float]? {
    gradient.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }
}
