/// One block encoded by itself, with every stored field unpacked: what explanations are made of.
///
/// The codes come from the format's own steps, the ones that `Tensor.quantized` runs.
package struct BlockTrace: Sendable {
  /// The code of the block's scale; 0 where the format has none.
  package var scale: UInt32
  /// The sub-scales; empty where the format has none.
  package var subscales: [UInt32]
  /// The codes, as many as the layout says: one for every value, or a fixed number.
  package var codes: [UInt32]
  /// The decoded values.
  package var decoded: [Float]
  /// The squared error that scale searches compare.
  package var squaredError: Double
  /// The multiplier that the scale step hands to the element step, where the format uses one.
  package var encodeMultiplier: Float
  /// What happened while the elements were encoded.
  package var tally: EncodingTally

  /// The fields of a block that are stored besides its codes.
  package struct Scales: Sendable {
    package var scale: UInt32
    package var subscales: [UInt32]

    package init(scale: UInt32, subscales: [UInt32] = []) {
      self.scale = scale
      self.subscales = subscales
    }
  }
}

extension BlockFormat {
  /// Encodes and decodes the values as one block.
  ///
  /// - Parameters:
  ///   - values: the block in row-major order; at most as many as a block holds.
  ///   - policy: the choices to follow.
  ///   - tensorScale: the tensor's scale, one where the format has none.
  ///   - firstIndex: the row-major index of the first value, which stochastic rounding uses.
  ///   - scales: fields to use instead of those that the policy's rule gives.
  package func trace(
    _ values: [Float], policy: EncodingPolicy,
    tensorScale: TensorScale = TensorScale(encode: 1, decode: 1), firstIndex: Int = 0,
    with scales: BlockTrace.Scales? = nil
  ) -> BlockTrace {
    var context = EncodingContext(layout: layout, policy: policy, tensorScale: tensorScale)
    context.indices = ElementIndices(
      base: firstIndex, BlockGrid.Region(offset: 0, columns: max(values.count, 1)))
    let length = layout.subscale?.length
    var subscales = [UInt32](
      repeating: 0, count: length.map { (values.count + $0 - 1) / $0 } ?? 0)
    let codeCount = if case .perBlock(let count) = layout.codes { count } else { values.count }
    var codes = [UInt32](repeating: 0, count: codeCount)
    var decoded = [Float](repeating: 0, count: values.count)
    if let scales { subscales = scales.subscales }
    return values.withUnsafeBufferPointer { values in
      subscales.withUnsafeMutableBufferPointer { subscales in
        codes.withUnsafeMutableBufferPointer { codes in
          decoded.withUnsafeMutableBufferPointer { decoded in
            var fields = BlockFields(
              scale: scales?.scale ?? 0, subscales: subscales, codes: codes)
            if scales == nil {
              encodeScale(
                of: values, statistics: ValueStatistics(values), context: context, into: &fields)
            }
            encodeElements(of: values, context: context, into: &fields)
            decode(fields, context: context.decoding, into: decoded)
            return BlockTrace(
              scale: fields.scale, subscales: Array(subscales), codes: Array(codes),
              decoded: Array(decoded),
              squaredError: squaredError(of: fields, context: context.decoding, against: values),
              encodeMultiplier: fields.encodeMultiplier, tally: fields.tally)
          }
        }
      }
    }
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
