extension BlockFormat {
  /// The squared error of an encoded block, which scale searches minimise.
  ///
  /// Defined to the last bit: e_i = Double(decoded_i) - Double(x_i); lane j of 8 adds e_i² for
  /// i ≡ j (mod 8) in order of i, in `Double` without fused operations; lanes are then added as
  /// (0+4, 1+5, 2+6, 3+7), then (0+2, 1+3), then (0+1). Values that are not finite take no part:
  /// where the policy lets them into a block, they must not decide its scale.
  public func squaredError(
    of fields: BlockFields, context: borrowing DecodingContext,
    against values: Span<Float>
  ) -> Double {
    errorSum(of: fields, context: context, against: values) { $0 * $0 }
  }

  /// The sum of absolute errors of an encoded block, in the order of `squaredError`.
  func absoluteError(
    of fields: BlockFields, context: borrowing DecodingContext,
    against values: Span<Float>
  ) -> Double {
    errorSum(of: fields, context: context, against: values, \.magnitude)
  }

  @inline(__always)
  private func errorSum(
    of fields: BlockFields, context: borrowing DecodingContext,
    against values: Span<Float>, _ term: (Double) -> Double
  ) -> Double {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: values.count) { decoded in
      var span = decoded.mutableSpan
      decode(fields, context: context, into: &span)
      var lanes = SIMD8<Double>.zero
      for index in values.indices where values[index].isFinite {
        lanes[index & 7] += term(Double(decoded[index]) - Double(values[index]))
      }
      let four = lanes.lowHalf + lanes.highHalf
      let two = four.lowHalf + four.highHalf
      return two[0] + two[1]
    }
  }
}
