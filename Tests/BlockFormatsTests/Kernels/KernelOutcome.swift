import BlockFormats
import Testing

/// Everything that encoding, decoding and fake-quantizing a tensor gives, to the bit.
struct KernelOutcome {
  let storage: QuantizedTensor
  let decoded: [UInt32]
  let fake: [UInt32]
  let inPlace: [UInt32]
  let fakeTally: EncodingTally
  let exactBlockCount: Int

  init(_ quantizer: TensorQuantizer, _ values: [Float], tensorScale: Float? = nil) {
    var storage = quantizer.makeStorage()
    values.withUnsafeBytes { quantizer.encode($0, tensorScale: tensorScale, into: &storage) }
    decoded = bits(values.count) { quantizer.decode(storage, into: $0) }
    var counted = (tally: EncodingTally(), exactBlockCount: 0)
    fake = bits(values.count) { result in
      counted = values.withUnsafeBytes {
        quantizer.fakeQuantizeCountingExactBlocks($0, into: result, tensorScale: tensorScale)
      }
    }
    (fakeTally, exactBlockCount) = counted
    inPlace = bits(values.count) { result in
      values.withUnsafeBytes { result.copyMemory(from: $0) }
      quantizer.fakeQuantize(UnsafeRawBufferPointer(result), into: result, tensorScale: tensorScale)
    }
    self.storage = storage
  }

  /// The first way in which a level's outcome differs from the reference's; `nil` if none.
  func difference(from reference: KernelOutcome, _ values: [Float]) -> String? {
    let expected = reference.storage
    func code(_ index: Int) -> String {
      "code \(index) of \(values[index]) is \(storage.codes.unpacked()[index]), not "
        + "\(expected.codes.unpacked()[index])"
    }
    if storage.scales != expected.scales {
      let (own, right) = (storage.scales.unpacked(), expected.scales.unpacked())
      let index = own.indices.first { own[$0] != right[$0] } ?? 0
      return "scale \(index) is \(own[index]), not \(right[index])"
    }
    if storage.subscales != expected.subscales { return "sub-scales" }
    for (index, field) in storage.format.layout.fields.enumerated()
    where field.name != "codes" && storage.planes[index] != expected.planes[index] {
      return field.name
    }
    if storage.tensorScale?.bitPattern != expected.tensorScale?.bitPattern { return "tensor scale" }
    if storage.codes != expected.codes {
      let (own, right) = (storage.codes.unpacked(), expected.codes.unpacked())
      return own.indices.first { own[$0] != right[$0] }.map(code) ?? "padding of codes"
    }
    if storage.tally != expected.tally {
      return "\(storage.tally.saturatedCount) saturated, not \(expected.tally.saturatedCount)"
    }
    for (name, own) in [("decoded", decoded), ("fake", fake), ("in place", inPlace)]
    where own != reference.decoded {
      guard let index = own.indices.first(where: { own[$0] != reference.decoded[$0] }) else {
        continue
      }
      return
        "\(name) \(index) of \(values[index]) is \(Float(bitPattern: own[index])), not \(Float(bitPattern: reference.decoded[index]))"
    }
    if fakeTally != expected.tally { return "tally of fake quantization" }
    if exactBlockCount != reference.exactBlockCount {
      return "\(exactBlockCount) exact blocks, not \(reference.exactBlockCount)"
    }
    return nil
  }
}

/// The bit patterns of floats that `body` stores.
func bits(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt32] {
  [UInt32](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    body(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
    initializedCount = count
  }
}

/// Runs the reference and every level on a tensor and expects the same of all.
///
/// - Returns: whether all agree.
@discardableResult
func expectSameOnEveryLevel(
  _ values: [Float], _ shape: KernelShape, format: some BlockFormat, policy: EncodingPolicy,
  tensorScale: Float? = nil, levels: [KernelLevel] = KernelLevel.supported,
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  func outcome(_ kernels: KernelSelection) -> KernelOutcome {
    KernelOutcome(
      TensorQuantizer(
        format: format, shape: shape.extents, axis: shape.axis, policy: policy,
        parallelism: .threads(1), kernels: kernels),
      values, tensorScale: tensorScale)
  }
  let reference = outcome(.reference)
  var agrees = true
  for level in levels {
    guard let difference = outcome(.level(level)).difference(from: reference, values) else {
      continue
    }
    agrees = false
    Issue.record(
      "\(format.id) \(policy.text) \(shape) tensor scale \(tensorScale.map { "\($0)" } ?? "own") on \(level.id): \(difference)",
      sourceLocation: sourceLocation)
  }
  return agrees
}

extension EncodingPolicy {
  var text: String {
    "\(scaleRule.id) \(rounding.id) \(overflow.id) \(nonFinite.id) \(scaleFloor.id) \(zeroBlock.id)"
  }
}
