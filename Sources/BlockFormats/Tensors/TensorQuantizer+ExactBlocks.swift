extension TensorQuantizer {
  /// Encodes and decodes values as `fakeQuantize` does, and counts the blocks in which every value
  /// decoded to itself, for tests of every kernel level.
  package func fakeQuantizeCountingExactBlocks(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    tensorScale: Float? = nil
  ) -> (tally: EncodingTally, exactBlockCount: Int) {
    func reconstruct<Format: BlockFormat>(_ format: Format) -> Reconstruction {
      let quantizer = Quantizer(
        format: format, shape: shape, axis: axis, policy: policy, parallelism: parallelism,
        kernels: kernels)
      return quantizer.reconstruct(
        values, into: result, as: .float32, tensorScale: tensorScale, exactBlocks: .counted)
    }
    let reconstruction = reconstruct(format)
    return (reconstruction.tally, reconstruction.exactBlockCount)
  }
}
