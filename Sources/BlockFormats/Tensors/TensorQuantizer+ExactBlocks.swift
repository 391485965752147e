extension TensorQuantizer {
  /// Encodes and decodes values as `fakeQuantize` does, and counts the blocks in which every value
  /// decoded to itself, for tests of every kernel level.
  package func fakeQuantizeCountingExactBlocks(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    tensorScale: Float? = nil
  ) -> (tally: EncodingTally, exactBlockCount: Int) {
    let reconstruction = quantizer.reconstruct(
      values, into: result, as: .float32, tensorScale: tensorScale, exactBlocks: .counted)
    return (reconstruction.tally, reconstruction.exactBlockCount)
  }
}
