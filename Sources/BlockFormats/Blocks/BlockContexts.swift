import CallerChecks

/// What a format may use to encode a block besides its values.
public struct EncodingContext: ~Copyable {
  /// The choices to follow.
  public let policy: EncodingPolicy
  /// The tensor's scale, one where the format has none.
  public let tensorScale: TensorScale
  /// Where the block lies in the logical tensor.
  public var indices: ElementIndices
  /// For decoding the candidates of a scale search.
  public let decoding: DecodingContext
  private let encoder: ElementEncoder
  private let greatestMagnitude: Double

  init(layout: BlockLayout, policy: EncodingPolicy, tensorScale: TensorScale) {
    self.policy = policy
    self.tensorScale = tensorScale
    indices = ElementIndices(base: 0, .none)
    encoder = ElementEncoder(layout.element, policy: policy)
    decoding = DecodingContext(layout: layout, tensorScale: tensorScale.decode)
    greatestMagnitude = layout.element.magnitude(of: layout.element.greatestMagnitudeCode)
  }

  /// The limit that keeps decoded values finite under the policy.
  ///
  /// - Parameter decoded: the value that `decode` makes of an element value under the block's scales;
  ///   it never falls where the element value rises.
  @inline(__always)
  public func codeLimit(_ decoded: (Double) -> Float) -> CodeLimit {
    guard policy.overflow == .saturate, !decoded(greatestMagnitude).isFinite else { return .none }
    return encoder.format.codeLimit(decoded)
  }

  /// The code of the element at a position of the block, for an already scaled value.
  @inline(__always)
  public func code(
    for scaled: Double, at position: Int, limit: CodeLimit = .none, tally: inout EncodingTally
  ) -> UInt32 {
    let index =
      if case .stochastic = policy.rounding { indices[position] } else { UInt64(0) }
    return encoder.code(for: scaled, index: index, limit: limit, tally: &tally)
  }
}

/// What a format may use to decode a block besides its fields.
public struct DecodingContext: ~Copyable {
  /// The tensor's decode multiplier, one where the format has none.
  public let tensorScale: Float
  let element: ElementDecoder
  private let others: [ElementDecoder]

  /// The value of an element code, before any scale.
  @inline(__always)
  public func elementValue(of code: UInt32) -> Double { element(code) }

  /// The value of a code of any field; FP32 numbers as bit patterns.
  ///
  /// - Parameter field: the place in `BlockLayout.fields`.
  @inline(__always)
  public func value(of code: UInt32, in field: Int) -> Double {
    guard field > 0 else { return element(code) }
    require(field <= others.count, "field \(field) of \(others.count + 1)")
    return others[field - 1](code)
  }

  init(layout: BlockLayout, tensorScale: Float) {
    self.tensorScale = tensorScale
    element = ElementDecoder(layout.element)
    others = layout.fields.dropFirst().map { ElementDecoder($0.element) }
  }
}

/// The row-major indices, in the logical tensor, of the elements of a block.
public struct ElementIndices: Hashable, Sendable {
  private let base: Int
  private let region: BlockGrid.Region

  init(base: Int, _ region: BlockGrid.Region) {
    self.base = base
    self.region = region
  }

  /// The index of the element at a position of the block.
  public subscript(position: Int) -> UInt64 {
    if region.rows == 1 {
      return UInt64(base + region.offset + position * region.columnStride)
    }
    let (row, column) = position.quotientAndRemainder(dividingBy: region.columns)
    return UInt64(
      base + region.offset + row * region.rowStride + column * region.columnStride)
  }
}

extension EncodingPolicy {
  /// Whether values with these statistics make a block of this element NaN.
  func poisons(_ statistics: ValueStatistics, element: ElementFormat) -> Bool {
    switch nonFinite {
    case .blockNaN: statistics.containsNonFinite
    case .element: statistics.containsNaN && element.nanCode == nil
    case .nanToZero, .nanToMax: false
    }
  }
}
