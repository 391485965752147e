import BlockFormats

/// A format laid over a tensor of one shape, with the tensor's values and their encoding.
final class SpeedSubject {
  let format: any BlockFormat
  let variant: SpeedVariant
  /// The tensor's shape.
  let shape: [Int]
  /// The choices to follow: the format's own, but for the rounding.
  private let policy: EncodingPolicy
  /// The encoded values, and the memory that measured calls encode into.
  private(set) var storage: QuantizedTensor
  /// The tensor scale, found apart from the measurement, for formats that have one.
  private let tensorScale: Float?

  /// Encodes the values once.
  init(
    format: any BlockFormat, variant: SpeedVariant, shape: [Int], seed: UInt64,
    buffers: SpeedBuffers
  ) {
    self.format = format
    self.variant = variant
    self.shape = shape
    var policy = format.defaultPolicy
    if format.follows(.rounding) { policy.rounding = variant.rounding.rule(seed: seed) }
    self.policy = policy
    let quantizer = Self.quantizer(format, variant, shape, policy, .allCores)
    storage = quantizer.makeStorage()
    let values = buffers.values(quantizer.elementCount, as: variant.input)
    quantizer.encode(values, as: variant.input, into: &storage)
    // One FP32 scale for the whole tensor is given like a tensor scale.
    let shared =
      format.layout.hasOneFloat32Scale ? storage.planes.last?.unpacked().first : nil
    tensorScale = storage.tensorScale ?? shared.map(Float.init(bitPattern:))
  }

  var elementCount: Int { storage.elementCount }

  /// The bytes of the tensor's values.
  var valueByteCount: Int { elementCount * variant.input.byteCount }

  /// The bytes that a call reads and those that it writes.
  func byteCounts(_ direction: SpeedDirection) -> (read: Int, written: Int) {
    switch direction {
    case .encode: (valueByteCount, storage.storedByteCount)
    case .decode: (storage.storedByteCount, valueByteCount)
    case .fakeQuantize: (valueByteCount, valueByteCount)
    }
  }

  /// Measures a call and the limits for its bytes in turn.
  func measure(
    _ direction: SpeedDirection, threads: Int, preparation: RepeatClock.Preparation,
    clock: RepeatClock, buffers: SpeedBuffers
  ) -> SpeedMeasurement {
    let limit = limit(direction, threads: threads, buffers: buffers)
    let values = buffers.values(elementCount, as: variant.input)
    let result = buffers.result(byteCount: valueByteCount)
    let quantizer = Self.quantizer(format, variant, shape, policy, .threads(threads))
    let type = variant.input
    let given = tensorScale

    let call: () -> Void =
      switch direction {
      case .encode: { quantizer.encode(values, as: type, tensorScale: given, into: &self.storage) }
      case .decode: { quantizer.decode(self.storage, into: result, as: type) }
      case .fakeQuantize:
        { quantizer.fakeQuantize(values, into: result, as: type, tensorScale: given) }
      }
    let allStores = StreamLimit.Stores.allCases
    let seconds = clock.seconds(
      of: allStores.map { stores in { limit.move(stores) } } + [call], preparation: preparation)
    let fastest = allStores.indices.reduce(0) {
      seconds[$1].median < seconds[$0].median ? $1 : $0
    }
    return SpeedMeasurement(
      elementCount: elementCount, byteCount: limit.input.count + limit.output.count,
      call: seconds[allStores.count], limit: seconds[fastest], limitStores: allStores[fastest])
  }

  /// The loop that moves the bytes of a call.
  private func limit(
    _ direction: SpeedDirection, threads: Int, buffers: SpeedBuffers
  ) -> StreamLimit {
    let bytes = byteCounts(direction)
    let (input, output) =
      switch direction {
      case .encode:
        (buffers.values(elementCount, as: variant.input), buffers.packed(byteCount: bytes.written))
      case .decode:
        (
          UnsafeRawBufferPointer(buffers.packed(byteCount: bytes.read)),
          buffers.result(byteCount: bytes.written)
        )
      case .fakeQuantize:
        (buffers.values(elementCount, as: variant.input), buffers.result(byteCount: bytes.written))
      }
    return StreamLimit(
      input: input, output: output, elementCount: elementCount, parallelism: .threads(threads))
  }

  private static func quantizer(
    _ format: some BlockFormat, _ variant: SpeedVariant, _ shape: [Int], _ policy: EncodingPolicy,
    _ parallelism: Parallelism
  ) -> TensorQuantizer {
    TensorQuantizer(
      format: format, shape: shape, axis: variant.axis, policy: policy, parallelism: parallelism,
      kernels: variant.kernels)
  }
}
