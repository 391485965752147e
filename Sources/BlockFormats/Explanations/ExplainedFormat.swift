/// A format that accounts for its arithmetic: in formulas, and for each value of a block.
///
/// The account lives beside the encoder and uses its own steps. Formats that give none are explained
/// by their stored codes and decoded values alone.
public protocol ExplainedFormat: BlockFormat {
  /// The encoder's steps under default choices in formulas, with the format's numbers filled in, one a
  /// line.
  var steps: [String] { get }

  /// What is rounded to an element: the value at a position of a block under all that the block stores.
  ///
  /// Encoding it as a bare element gives the code, as far as no `CodeLimit` intervenes.
  func scaledValue(at position: Int, in block: ExplainedBlock) -> Double

  /// Whether all values of a block are lost because its scale is zero.
  func losesAllValues(of block: ExplainedBlock) -> Bool

  /// What the format's rules would store for a block, each with its cost.
  func candidates(for block: ExplainedBlock) -> [ScaleCandidate]
}

extension ExplainedFormat {
  /// None.
  public func losesAllValues(of block: ExplainedBlock) -> Bool { false }

  /// None.
  public func candidates(for block: ExplainedBlock) -> [ScaleCandidate] { [] }
}

/// One block as its encoder stores it, with all that went into it.
public struct ExplainedBlock: Sendable {
  /// The format.
  public let format: any BlockFormat
  /// The choices that were followed.
  public let policy: EncodingPolicy
  /// The tensor's scale; one where the format has none.
  public let tensorScale: TensorScale
  /// The row-major index of the first value.
  public let firstIndex: Int
  /// The values of the block.
  public let values: [Float]
  /// The statistics of the values.
  public let statistics: ValueStatistics
  /// The block as the encoder stores it.
  public let trace: BlockTrace

  /// Encodes a block by itself.
  ///
  /// - Parameters:
  ///   - values: at most as many as a block holds.
  ///   - format: the format.
  ///   - policy: the choices to follow.
  ///   - tensorScale: the tensor's scale, one where the format has none.
  ///   - firstIndex: the row-major index of the first value.
  public init(
    _ values: [Float], as format: any BlockFormat, policy: EncodingPolicy,
    tensorScale: TensorScale = TensorScale(encode: 1, decode: 1), firstIndex: Int = 0
  ) {
    self.format = format
    self.policy = policy
    self.tensorScale = tensorScale
    self.firstIndex = firstIndex
    self.values = values
    statistics = ValueStatistics(values.span)
    trace = format.trace(
      values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex)
  }

  /// The number of a code that the block stores.
  ///
  /// - Parameters:
  ///   - index: the place among the block's codes of the field.
  ///   - field: the place in `BlockLayout.fields`.
  public func number(_ index: Int, of field: Int) -> Double {
    format.layout.fields[field].element.value(of: trace.codes[field][index])
  }

  /// The block encoded by another scale rule.
  public func encoded(by rule: ScaleRule) -> BlockTrace {
    var other = policy
    other.scaleRule = rule
    return format.trace(
      values, policy: other, tensorScale: tensorScale, firstIndex: firstIndex)
  }

  /// The block encoded with what a closure stores besides the elements.
  public func encoded(choosing choose: (inout BlockFields) -> Void) -> BlockTrace {
    withoutActuallyEscaping(choose) {
      format.trace(
        values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex, choosing: $0)
    }
  }
}

/// What a block stores or might have stored besides its elements, with what that would have cost.
public struct ScaleCandidate: Sendable {
  /// The rule or the step that gives it.
  public var name: String
  /// Whether the encoder chose it.
  public var isChosen: Bool
  /// Numbers on the way to it.
  public var facts: [Fact]
  /// The block as it would be stored.
  public var trace: BlockTrace

  /// A number on the way to a scale.
  public struct Fact: Sendable {
    /// The name in reports.
    public var key: String
    /// The name for people.
    public var title: String
    /// The number.
    public var number: Number

    /// Creates a fact.
    public init(_ key: String, _ title: String, _ number: Number) {
      self.key = key
      self.title = title
      self.number = number
    }
  }

  /// The kinds of numbers.
  public enum Number: Sendable {
    case integer(Int)
    case real(Double)
    /// A code and how it stands for a number.
    case code(UInt32, ElementFormat)
    /// There is none.
    case none
  }

  /// Creates a candidate.
  public init(name: String, isChosen: Bool, facts: [Fact], trace: BlockTrace) {
    self.name = name
    self.isChosen = isChosen
    self.facts = facts
    self.trace = trace
  }
}
