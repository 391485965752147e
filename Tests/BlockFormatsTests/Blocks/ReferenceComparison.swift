import BlockFormats
import FormatTestSupport
import Testing

/// Encodes a tensor with the library and with the reference and expects the same of both: fields,
/// stored bytes, decoded bits, tally, exact blocks, and fake quantization.
func expectReference(
  _ values: [Float], shape: [Int], axis: Int = -1, format: some BlockFormat,
  reference: ReferenceBlockFormat, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let policy = policy ?? format.defaultPolicy
  let rank = max(shape.count, 1)
  let encoder = ReferenceBlockEncoder(
    reference, ReferenceBlockPolicy(policy), values, tensorScale: tensorScale)
  let expected = encoder.run(shape: shape, axis: axis < 0 ? axis + rank : axis)
  let tensor = Tensor(values, shape: shape)
  let actual = tensor.quantized(
    to: format, axis: axis, policy: policy, tensorScale: tensorScale, parallelism: .threads(1))
  let decoded = actual.dequantized(parallelism: .threads(1)).elements.map(\.bitPattern)
  let fake = tensor.fakeQuantized(
    to: format, axis: axis, policy: policy, tensorScale: tensorScale, parallelism: .threads(1))
  let fakeBits = fake.tensor.elements.map(\.bitPattern)
  // One canonical NaN: quiet, positive, without payload.
  let expectedBits = expected.decoded.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern }

  let codes = actual.codes.unpacked()
  let scales = actual.scales.unpacked()
  let agrees =
    codes == expected.codes && scales == expected.scales
    && actual.subscales.unpacked() == expected.subscales
    && actual.tensorScale?.bitPattern == expected.tensorScale?.bitPattern
    && actual.storedBytes == expected.storedBytes && decoded == expectedBits
    && fakeBits == expectedBits && actual.tally.saturatedCount == expected.overflowCount
    && fake.tally == actual.tally && fake.exactBlockCount == expected.exactBlockCount
    && fake.blockCount == actual.blockCount && fake.storedByteCount == expected.storedBytes.count
    && actual.storedByteCount == expected.storedBytes.count
  // One cheap check in the usual case, and the field that differs in the other.
  guard !agrees else { return }
  let label = "\(format.id) \(policy) shape \(shape) axis \(axis)"
  if let index = codes.indices.first(where: { codes[$0] != expected.codes[$0] }) {
    Issue.record(
      "\(label): code \(index) of \(values[index]) is \(codes[index]), not \(expected.codes[index])",
      sourceLocation: sourceLocation)
  }
  if let index = decoded.indices.first(where: { decoded[$0] != expectedBits[$0] }) {
    Issue.record(
      "\(label): \(values[index]) decodes to \(Float(bitPattern: decoded[index])), not \(expected.decoded[index]), bits \(String(decoded[index], radix: 16)) for \(String(expectedBits[index], radix: 16))",
      sourceLocation: sourceLocation)
  }
  #expect(scales == expected.scales, "\(label)", sourceLocation: sourceLocation)
  #expect(
    actual.subscales.unpacked() == expected.subscales, "\(label)", sourceLocation: sourceLocation)
  #expect(
    actual.tensorScale?.bitPattern == expected.tensorScale?.bitPattern, "\(label)",
    sourceLocation: sourceLocation)
  #expect(actual.storedBytes == expected.storedBytes, "\(label)", sourceLocation: sourceLocation)
  #expect(fakeBits == decoded, "\(label)", sourceLocation: sourceLocation)
  #expect(
    actual.tally.saturatedCount == expected.overflowCount, "\(label)",
    sourceLocation: sourceLocation)
  #expect(fake.tally == actual.tally, "\(label)", sourceLocation: sourceLocation)
  #expect(
    fake.exactBlockCount == expected.exactBlockCount, "\(label)", sourceLocation: sourceLocation)
  #expect(fake.blockCount == actual.blockCount, "\(label)", sourceLocation: sourceLocation)
  #expect(
    fake.storedByteCount == expected.storedBytes.count, "\(label)",
    sourceLocation: sourceLocation)
}

/// Random values whose magnitudes spread over a range of binades.
func randomValues(_ count: Int, exponents: ClosedRange<Int>, seed: UInt64) -> [Float] {
  var generator = ReferenceBlockRandom(seed: seed)
  return (0..<count).map { _ in generator.float(exponents: exponents) }
}
