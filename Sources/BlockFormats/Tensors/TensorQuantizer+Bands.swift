/// Encoding a matrix band by band: some rows at a time, in memory that stays in a cache.
///
/// The bands of a matrix are encoded as the matrix itself would be, as long as each begins on a
/// block and rounding is not stochastic, whose random bits belong to indices in the whole tensor.
extension TensorQuantizer {
  /// What all bands of a tensor share: its tensor scale, or the scale of a whole-tensor block.
  package struct Levels: Sendable {
    let levels: TensorLevels
    /// The decode multiplier of the tensor.
    package var tensorScale: Float { levels.tensorScale.decode }
  }

  /// The levels of a whole tensor.
  package func levels(
    of values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale: Float? = nil
  ) -> Levels {
    Levels(levels: quantizer.tensorLevels(values, as: type, tensorScale: tensorScale))
  }

  /// Encodes a band, of which this quantizer has the shape.
  package func encodeBand(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, levels: Levels,
    into storage: inout QuantizedTensor
  ) {
    quantizer.encode(values, as: type, levels.levels, into: &storage)
  }
}
