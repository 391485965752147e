/// How the products of a matrix product are summed: by a model of hardware or by none.
///
/// A model sees the operands as `ProductDefinition` factors them: elements a, b with their
/// sub-scales, cut into groups, and the scales sₐ, s_b of each group. Where one operand does not
/// factor, or is FP32, the elements are decoded FP32 numbers without scales; so they are in every
/// model but `float32` where an operand has an offset for each block. In every model tensor
/// scales, α, bias and β follow the finished sum, as `ProductEpilogue` says.
///
/// Only `float32` is what kernels compute; the others are options of the reference.
public struct Accumulator: Hashable, Sendable {
  let model: any AccumulatorModel

  /// All models, in the order of listings.
  ///
  /// A new one is a file beside this one and a line here.
  private static let models: [any AccumulatorModel.Type] = [
    Float32Accumulator.self,
    ExactAccumulator.self,
    BFloat16Accumulator.self,
    AlignedFixedPointModel.self,
    TensorCoreModel.self,
  ]

  init(_ model: some AccumulatorModel) { self.model = model }

  private init(opening model: any AccumulatorModel) { self.model = model }

  /// Every model with default parameters, in the order of listings.
  public static let standard = models.map { Accumulator(opening: $0.standard) }

  /// The id, which `init(id:)` parses back: `fp32`, `exact`, `bf16`, `bdr(f=25)`,
  /// `bdr(f=25,length=128)` or `tensor_core(group=32,f=13,rounding=truncate,promote=128)`.
  public var id: String { model.id }

  /// The model that an id names, or `nil`.
  ///
  /// Parameters outside the documented ranges name none. `hopper_fp8_like` is an alias of
  /// `TensorCoreModel.hopperFP8Like`, and `bdr` of `bdr(f=25)`.
  public init?(id: String) {
    for model in Accumulator.models {
      guard let model = model.init(id: id) else { continue }
      self.init(opening: model)
      return
    }
    return nil
  }

  /// One line with all choices.
  public var summary: String { model.summary }

  /// Whether both are the same model with the same parameters, all of which their ids hold.
  public static func == (a: Accumulator, b: Accumulator) -> Bool { a.id == b.id }

  /// Feeds the id.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension ProductDefinition {
  /// The definition as an accumulator sees the operands: decoded where they have offsets, unless it
  /// is that of the kernels.
  func seen(by accumulator: Accumulator) -> ProductDefinition {
    hasOffsets && accumulator != .float32 ? decoding : self
  }
}

/// A way to sum the products of one element of Y.
protocol AccumulatorModel: Sendable {
  /// The model with default parameters.
  static var standard: Self { get }

  /// The model that an id names, or `nil`.
  init?(id: String)

  /// The id with all parameters.
  var id: String { get }

  /// One line with all choices.
  var summary: String { get }

  /// The sum of an element of Y before its epilogue.
  ///
  /// - Parameters:
  ///   - operands: the row of each operand.
  ///   - registers: exact sums to use again, at least one; a model may add some.
  func sum(_ operands: DotOperands, registers: inout [ExactSum]) -> Float
}

/// A model without parameters.
protocol PlainAccumulatorModel: AccumulatorModel {
  static var id: String { get }
  init()
}

extension PlainAccumulatorModel {
  static var standard: Self { Self() }
  var id: String { Self.id }

  init?(id: String) {
    guard id == Self.id else { return nil }
    self.init()
  }
}
