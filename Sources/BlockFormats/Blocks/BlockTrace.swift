/// One block encoded by itself, with every stored field unpacked: what explanations are made of.
///
/// The codes come from the format's own steps, the ones that `Tensor.quantized` runs.
public struct BlockTrace: Sendable {
  /// The codes of each field, in the order of `BlockLayout.fields`.
  public var codes: [[UInt32]]
  /// The decoded values.
  public var decoded: [Float]
  /// The squared error that scale searches compare.
  public var squaredError: Double
  /// The multiplier that the scale step hands to the element step, where the format uses one.
  public var encodeMultiplier: Float
  /// What happened while the elements were encoded.
  public var tally: EncodingTally
}

extension BlockFormat {
  /// Encodes and decodes the values as one block.
  ///
  /// - Parameters:
  ///   - values: the block in row-major order; at most as many as a block holds.
  ///   - policy: the choices to follow.
  ///   - tensorScale: the tensor's scale, one where the format has none.
  ///   - tensorNumber: the tensor's opaque number; that of a tensor of these values if `nil`.
  ///   - firstIndex: the row-major index of the first value, which stochastic rounding uses.
  ///   - choosing: stores what the block has besides its elements; what the policy's rule gives if
  ///     `nil`.
  package func trace(
    _ values: [Float], policy: EncodingPolicy,
    tensorScale: TensorScale = TensorScale(encode: 1, decode: 1), tensorNumber: Float? = nil,
    firstIndex: Int = 0, choosing choose: ((inout BlockFields) -> Void)? = nil
  ) -> BlockTrace {
    var context = EncodingContext(layout: layout, policy: policy, tensorScale: tensorScale)
    context.indices = ElementIndices(
      base: firstIndex, BlockGrid.Region(offset: 0, columns: max(values.count, 1)))
    let scratch = BlockScratch(counts: layout.codeCounts(ofBlock: values.count))
    var fields = scratch.fields
    if let field = layout.tensorField { fields[field, 0] = tensorScale.decode.bitPattern }
    if let field = layout.numberField {
      let number = tensorNumber ?? self.tensorNumber(of: values.span, policy: policy)
      fields[field, 0] = number.bitPattern
    }
    if let choose {
      choose(&fields)
    } else {
      encodeScale(
        of: values.span, statistics: ValueStatistics(values.span), context: context, into: &fields)
    }
    encodeElements(of: values.span, context: context, into: &fields)
    var decoded = [Float](repeating: 0, count: values.count)
    var span = decoded.mutableSpan
    decode(fields, context: context.decoding, into: &span)
    return BlockTrace(
      codes: layout.fields.indices.map { Array(fields.codes($0)) }, decoded: decoded,
      squaredError: squaredError(of: fields, context: context.decoding, against: values.span),
      encodeMultiplier: fields.encodeMultiplier, tally: fields.tally)
  }
}

extension ElementFormat {
  /// Whether a finite value exceeds the largest finite value after rounding.
  package func overflows(_ value: Double, rounding: RoundingRule, index: UInt64 = 0) -> Bool {
    var tally = EncodingTally()
    _ = ElementEncoder(self, rounding: rounding, overflow: .saturate)
      .code(for: value, index: index, tally: &tally)
    return tally.saturatedCount > 0
  }
}
