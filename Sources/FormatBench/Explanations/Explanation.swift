import BlockFormats

/// How values become codes under a format and a policy, block by block.
///
/// Codes, scales and decoded values are the encoder's own; the reasons are read off the element's
/// table of values.
struct Explanation {
  let format: any BlockFormat
  let policy: EncodingPolicy
  /// The tensor's scale; one where the format has none.
  let tensorScale: TensorScale
  let blocks: [BlockExplanation]

  /// Explains the values as a vector, cut into as many blocks as they fill.
  ///
  /// - Parameter decodeScale: the tensor's decode multiplier; from the values if nil.
  init(
    of values: [Float], as format: any BlockFormat, policy: EncodingPolicy,
    decodeScale: Float? = nil
  ) {
    self.format = format
    self.policy = policy
    let statistics = values.withUnsafeBufferPointer { ValueStatistics($0) }
    let scale =
      format.layout.tensorScale == .absent
      ? TensorScale(encode: 1, decode: 1)
      : decodeScale.map(TensorScale.init(decode:))
        ?? format.tensorScale(for: statistics, policy: policy)
    tensorScale = scale
    let length = Self.blockLength(of: format.layout, count: values.count)
    blocks = stride(from: 0, to: values.count, by: length).map { first in
      BlockExplanation(
        of: Array(values[first..<min(first + length, values.count)]), firstIndex: first,
        as: format, policy: policy, tensorScale: scale)
    }
  }

  /// The values of a vector that share a scale.
  private static func blockLength(of layout: BlockLayout, count: Int) -> Int {
    guard layout.scale != nil else { return max(count, 1) }
    switch layout.block {
    case .vector(let length): return length
    case .tile(_, let columns): return columns
    case .row, .tensor: return max(count, 1)
    }
  }
}

/// One block: its scale, the scales it might have had, and its values.
struct BlockExplanation {
  let format: any BlockFormat
  let policy: EncodingPolicy
  let tensorScale: TensorScale
  /// The index of the first value.
  let firstIndex: Int
  let values: [Float]
  let statistics: ValueStatistics
  /// The block as the encoder stores it.
  let trace: BlockTrace

  init(
    of values: [Float], firstIndex: Int, as format: any BlockFormat, policy: EncodingPolicy,
    tensorScale: TensorScale
  ) {
    self.format = format
    self.policy = policy
    self.tensorScale = tensorScale
    self.firstIndex = firstIndex
    self.values = values
    statistics = values.withUnsafeBufferPointer { ValueStatistics($0) }
    trace = format.trace(
      values, policy: policy, tensorScale: tensorScale, firstIndex: firstIndex)
  }

  var element: ElementFormat { format.layout.element }

  /// Whether NaN or Inf made the whole block NaN.
  var isNaN: Bool {
    tensorScale.encode.isNaN
      || format.layout.scale.map { $0.value(of: trace.scale).isNaN } ?? false
  }

  /// Whether the block's own scale is zero, which loses every value.
  var hasZeroScale: Bool { format.layout.scale.map { $0.value(of: trace.scale) == 0 } ?? false }

  /// The sub-scale of the value at a position; 0 where the format has none.
  func subscale(at position: Int) -> UInt32 {
    guard let length = format.layout.subscale?.length else { return 0 }
    return trace.subscales[position / length]
  }

  /// What is rounded to an element: the value under the block's scales.
  ///
  /// The arithmetic is the one that each encoder documents. Tests encode the result as a bare
  /// element and compare with the encoder's code.
  func scaledValue(at position: Int) -> Double {
    let value = values[position]
    guard !isNaN else { return .nan }
    switch format {
    case is SharedExponentFormat:
      let scale = format.layout.scale ?? .e8m0fnu
      let exponent = Int(scale.value(of: trace.scale).exponent) - Int(subscale(at: position))
      return Double(value) * Double(sign: .plus, exponent: -exponent, significand: 1)
    case is TwoLevelFormat:
      return hasZeroScale ? 0 : Double(value.scaled(by: twoLevelMultiplier(trace.scale)))
    case is ScaledFormat: return Double(value.scaled(by: trace.encodeMultiplier))
    default: return Double(value)
    }
  }

  /// The multiplier of a two-level block with a scale code above zero.
  func twoLevelMultiplier(_ code: UInt32) -> Float {
    guard let format = format as? TwoLevelFormat, let scale = format.layout.scale else {
      return .nan
    }
    return format.encodeMultiplier(scale: Float(scale.value(of: code)), tensorScale: tensorScale)
  }
}
