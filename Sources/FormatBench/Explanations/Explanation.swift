import BlockFormats

/// How values become codes under a format and a policy, block by block.
///
/// Codes, scales and decoded values are the encoder's own, and so is the arithmetic on the way to them;
/// the reasons are read off the element's table of values.
struct Explanation {
  let format: any BlockFormat
  let policy: EncodingPolicy
  /// The tensor's scale; one where the format has none.
  let tensorScale: TensorScale
  let blocks: [ExplainedBlock]

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
      format.layout.tensorField == nil
      ? TensorScale(encode: 1, decode: 1)
      : decodeScale.map(TensorScale.init(decode:))
        ?? format.tensorScale(for: statistics, policy: policy)
    tensorScale = scale
    let number =
      format.layout.numberField == nil
      ? nil : format.tensorNumber(of: values.span, policy: policy)
    let length = Self.blockLength(of: format.layout, count: values.count)
    blocks = stride(from: 0, to: values.count, by: length).map { first in
      ExplainedBlock(
        Array(values[first..<min(first + length, values.count)]), as: format, policy: policy,
        tensorScale: scale, tensorNumber: number, firstIndex: first)
    }
  }

  /// The values of a vector that make a block; all where nothing is shared.
  private static func blockLength(of layout: BlockLayout, count: Int) -> Int {
    guard layout.fields.count > 1 else { return max(count, 1) }
    switch layout.block {
    case .vector(let length), .run(let length): return length
    case .tile(_, let columns): return columns
    case .row, .tensor: return max(count, 1)
    }
  }
}

extension ExplainedBlock {
  /// What the codes of its elements are.
  var element: ElementFormat { account?.element(of: self) ?? format.layout.element }

  /// The format's own account; nil where it gives none.
  var account: (any ExplainedFormat)? { format as? any ExplainedFormat }

  /// Whether NaN or Inf made the whole block NaN.
  var isNaN: Bool {
    tensorScale.encode.isNaN
      || format.layout.fields.indices.contains { field in
        switch format.layout.fields[field].extent {
        case .everyElement, .perTensor: return false
        case .every, .perBlock:
          let codes = trace.codes[field].indices
          return !codes.isEmpty && codes.allSatisfy { number($0, of: field).isNaN }
        }
      }
  }

  /// The fields of parts of a block, with the elements that share a code.
  var partFields: [(field: Int, length: Int)] {
    format.layout.fields.enumerated().compactMap { index, field in
      if case .every(let length) = field.extent { (index, length) } else { nil }
    }
  }
}
