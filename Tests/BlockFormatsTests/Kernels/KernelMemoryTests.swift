import BlockFormats
import FormatTestSupport
import Testing

@Suite("Kernels touch the caller's memory only")
struct KernelMemoryTests {
  /// One format for each way through the kernels, with shapes whose rows end anywhere in a vector.
  static let cases: [(id: String, shapes: [KernelShape])] = [
    ("mxfp4", [KernelShape([101]), KernelShape([3, 37]), KernelShape([37, 19], axis: 0)]),
    ("mxfp6_e2m3", [KernelShape([65]), KernelShape([33, 3], axis: 0)]),
    ("mxfp8_e4m3", [KernelShape([67]), KernelShape([2, 131]), KernelShape([33, 21], axis: 0)]),
    ("mxint8", [KernelShape([97])]),
    ("mx9", [KernelShape([35]), KernelShape([17, 18], axis: 0)]),
    ("mx6", [KernelShape([3, 17])]),
    ("nvfp4", [KernelShape([79]), KernelShape([17, 5], axis: 0)]),
    ("nvfp4_2d", [KernelShape([17, 35])]),
    ("nvfp4_4over6", [KernelShape([77]), KernelShape([18, 7], axis: 0)]),
    ("fp8_e4m3_tensor", [KernelShape([131])]),
    ("fp8_e5m2_128x128", [KernelShape([130, 9])]),
    ("int8_row", [KernelShape([3, 45]), KernelShape([45, 3], axis: 0)]),
    ("hif4", [KernelShape([101]), KernelShape([70, 19], axis: 0), KernelShape([1090])]),
    ("bf16", [KernelShape([37]), KernelShape([7, 5], axis: 0)]),
    ("fp32", [KernelShape([37])]),
    ("fp16", [KernelShape([37])]),
  ]

  private static func policies(_ format: some BlockFormat) -> [EncodingPolicy] {
    var random = format.defaultPolicy
    random.rounding = .stochastic(StochasticSource(seed: 5))
    random.nonFinite = .element
    return [format.defaultPolicy, random]
  }

  @Test("Inputs and outputs at every byte offset, with guard bytes on both sides")
  func unaligned() throws {
    let input = GuardedMemory(8192)
    let output = GuardedMemory(8192)
    for (id, shapes) in Self.cases {
      let format = try FormatCatalog.format(id: id)
      for (number, shape) in shapes.enumerated() {
        let values = KernelInput.values(
          format, shape, KernelInput.Mix.allCases[number], seed: UInt64(number))
        let policy = Self.policies(format)[number % 2]
        func quantizer(_ kernels: KernelSelection) -> TensorQuantizer {
          TensorQuantizer(
            format: format, shape: shape.extents, axis: shape.axis, policy: policy,
            parallelism: .threads(1), kernels: kernels)
        }
        let expected = KernelOutcome(quantizer(.reference), values)
        for level in KernelLevel.supported {
          let quantizer = quantizer(.level(level))
          var storage = quantizer.makeStorage()
          for offset in 0..<8 {
            let label = "\(id) \(shape) on \(level.id) at offset \(offset)"
            let source = input.patterned(4 * values.count, at: 128 + offset)
            values.withUnsafeBytes { source.copyMemory(from: $0) }
            quantizer.encode(UnsafeRawBufferPointer(source), into: &storage)
            #expect(storage.codes == expected.storage.codes, "\(label)")
            #expect(storage.scales == expected.storage.scales, "\(label)")
            let target = output.patterned(4 * values.count, at: 128 + 7 - offset)
            quantizer.decode(storage, into: target)
            #expect(words(target) == expected.decoded, "\(label)")
            #expect(output.isIntact(outside: target), "\(label)")
            target.copyBytes(from: repeatElement(0, count: target.count))
            quantizer.fakeQuantize(UnsafeRawBufferPointer(source), into: target)
            #expect(words(target) == expected.decoded, "\(label)")
            #expect(output.isIntact(outside: target), "\(label)")
            quantizer.fakeQuantize(UnsafeRawBufferPointer(source), into: source)
            #expect(words(source) == expected.decoded, "\(label)")
            #expect(input.isIntact(outside: source), "\(label)")
          }
        }
      }
    }
  }

  @Test("Inputs and outputs of every number type directly before and behind protected pages")
  func protectedPages() throws {
    let input = GuardedMemory(8192)
    let output = GuardedMemory(8192)
    for (number, (id, shapes)) in Self.cases.enumerated() {
      let format = try FormatCatalog.format(id: id)
      for (index, shape) in shapes.enumerated() {
        for (turn, type) in ScalarType.allCases.enumerated() {
          let byteCount = type.byteCount * shape.count
          let values = KernelInput.values(
            format, shape, KernelInput.Mix.allCases[(number + index + turn) % 3], seed: 3)
          for level in KernelLevel.supported {
            let quantizer = TensorQuantizer(
              format: format, shape: shape.extents, axis: shape.axis,
              policy: Self.policies(format)[(index + turn) % 2], parallelism: .threads(1),
              kernels: .level(level))
            var storages: [QuantizedTensor] = []
            var results: [[UInt8]] = []
            for place in [GuardedMemory.atStart, GuardedMemory.atEnd] {
              let source = place(input)(byteCount)
              let target = place(output)(byteCount)
              values.withUnsafeBytes {
                source.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<byteCount]))
              }
              var storage = quantizer.makeStorage()
              quantizer.encode(UnsafeRawBufferPointer(source), as: type, into: &storage)
              quantizer.decode(storage, into: target, as: type)
              storages.append(storage)
              results.append(Array(target))
              quantizer.fakeQuantize(UnsafeRawBufferPointer(source), into: target, as: type)
              results.append(Array(target))
              quantizer.fakeQuantize(UnsafeRawBufferPointer(source), into: source, as: type)
              results.append(Array(source))
            }
            let label = "\(id) \(shape) \(type.id) on \(level.id)"
            #expect(storages[0].codes == storages[1].codes, "\(label)")
            #expect(results.allSatisfy { $0 == results[0] }, "\(label)")
          }
        }
      }
    }
  }

  private func words(_ bytes: UnsafeMutableRawBufferPointer) -> [UInt32] {
    (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
  }
}
