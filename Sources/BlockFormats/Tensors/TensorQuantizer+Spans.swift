/// The steps of a quantizer over the caller's own memory.
extension TensorQuantizer {
  /// Encodes a row-major tensor into storage made by `makeStorage`, whose memory is used again.
  ///
  /// - Parameters:
  ///   - values: `elementCount` values.
  ///   - tensorScale: the decode multiplier of the tensor, for formats with a tensor scale or with
  ///     one FP32 scale for the whole tensor; computed from the values if `nil`. Ignored by other
  ///     formats.
  ///   - storage: receives codes, scales, tensor scale and tally.
  /// - Precondition: `values` holds exactly `elementCount` values, `storage` has the quantizer's
  ///   format, shape and axis, and `tensorScale` is finite and at least 2^-128.
  public func encode(
    _ values: Span<Float>, tensorScale: Float? = nil, into storage: inout QuantizedTensor
  ) {
    values.withUnsafeBytes { encode($0, tensorScale: tensorScale, into: &storage) }
  }

  /// The same from values of a number type, little-endian as in memory.
  public func encode(
    _ values: RawSpan, as type: ScalarType, tensorScale: Float? = nil,
    into storage: inout QuantizedTensor
  ) {
    values.withUnsafeBytes { encode($0, as: type, tensorScale: tensorScale, into: &storage) }
  }

  /// Decodes a tensor into row-major values.
  ///
  /// - Parameters:
  ///   - storage: a tensor of the quantizer's format, shape and axis.
  ///   - values: receives `elementCount` values.
  public func decode(_ storage: QuantizedTensor, into values: inout MutableSpan<Float>) {
    values.withUnsafeMutableBytes { decode(storage, into: $0) }
  }

  /// The same into values of a number type, little-endian as in memory.
  public func decode(
    _ storage: QuantizedTensor, into values: inout MutableRawSpan, as type: ScalarType
  ) {
    values.withUnsafeMutableBytes { decode(storage, into: $0, as: type) }
  }

  /// Encodes and decodes values without storing codes ("fake quantization").
  ///
  /// - Parameters:
  ///   - values: `elementCount` values.
  ///   - result: receives as many.
  ///   - tensorScale: as for `encode`.
  /// - Returns: events counted while encoding.
  @discardableResult
  public func fakeQuantize(
    _ values: Span<Float>, into result: inout MutableSpan<Float>, tensorScale: Float? = nil
  ) -> EncodingTally {
    values.withUnsafeBytes { source in
      result.withUnsafeMutableBytes { fakeQuantize(source, into: $0, tensorScale: tensorScale) }
    }
  }

  /// Encodes and decodes values where they are.
  @discardableResult
  public func fakeQuantize(
    _ values: inout MutableSpan<Float>, tensorScale: Float? = nil
  ) -> EncodingTally {
    values.withUnsafeMutableBytes {
      fakeQuantize(UnsafeRawBufferPointer($0), into: $0, tensorScale: tensorScale)
    }
  }

  /// Encodes and decodes values of a number type where they are, little-endian as in memory.
  @discardableResult
  public func fakeQuantize(
    _ values: inout MutableRawSpan, as type: ScalarType, tensorScale: Float? = nil
  ) -> EncodingTally {
    values.withUnsafeMutableBytes {
      fakeQuantize(UnsafeRawBufferPointer($0), into: $0, as: type, tensorScale: tensorScale)
    }
  }
}
