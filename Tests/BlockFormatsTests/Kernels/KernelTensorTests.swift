import BlockFormats
import FormatTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

@Suite("Kernels over tensors: number types, threads, long rows, stored codes")
struct KernelTensorTests {
  private func quantizer(
    _ format: some BlockFormat, _ shape: KernelShape, _ policy: EncodingPolicy,
    _ kernels: KernelSelection, threads: Int = 1
  ) -> TensorQuantizer {
    TensorQuantizer(
      format: format, shape: shape.extents, axis: shape.axis, policy: policy,
      parallelism: .threads(threads), kernels: kernels)
  }

  /// One format for each way through the kernels.
  private static let ids = [
    "mxfp4", "mxfp6_e3m2", "mxfp8_e5m2", "mxint8", "mx9", "mx4", "msfp12", "nvfp4", "nvfp4_2d",
    "nvfp4_4over6", "fp8_e4m3_tensor", "fp8_e4m3_row", "fp8_e5m2_1x128", "fp8_e4m3_128x128",
    "int8_row", "int4_1x32", "vsq", "nf4", "bf16", "fp16", "e4m3fn", "tf32", "fp32", "affine4",
    "affine8(group=32,scale=bf16)", "q5_0", "q5_1", "q8_0", "iq4_nl",
  ]

  /// Policies with and without random bits.
  private func policy(_ format: some BlockFormat, _ turn: Int) -> EncodingPolicy {
    var policy = format.defaultPolicy
    if turn % 2 == 1 && format.follows(.rounding) {
      policy.rounding = .stochastic(StochasticSource(seed: 77, stream: 5))
    }
    return policy
  }

  @Test("Rows beyond 8192 elements, and rows beside each other that end inside a panel")
  func longRows() throws {
    for (number, id) in Self.ids.enumerated() {
      let format = try FormatCatalog.format(id: id)
      let shapes = [
        KernelShape([8192 + 4096 + 77]), KernelShape([2, 4099]), KernelShape([35, 300], axis: 0),
        KernelShape([2, 17, 270], axis: 1), KernelShape([3, 4128]), KernelShape([130, 140]),
      ]
      for turn in 0..<(Intensity.isDeep ? 12 : 1) {
        let shape = shapes[(number + turn) % shapes.count]
        let mix = KernelInput.Mix.allCases[(number / 2 + turn) % 3]
        expectSameOnEveryLevel(
          KernelInput.values(format, shape, mix, seed: UInt64(number)), shape, format: format,
          policy: policy(format, number + turn / 6))
      }
    }
  }

  @Test("Strips of columns and long rows of which one is not tame, in place and counted")
  func partlyTame() throws {
    let cases: [(String, KernelShape)] = [
      ("mxfp4", KernelShape([33, 2100], axis: 0)),
      ("mxfp6_e3m2", KernelShape([32, 2100], axis: 0)),
      ("mx9", KernelShape([18, 1100], axis: 0)), ("nvfp4", KernelShape([2, 16, 1100], axis: 1)),
      ("nvfp4_2d", KernelShape([17, 2064])), ("fp8_e4m3_128x128", KernelShape([130, 1152])),
      ("int8_row", KernelShape([3, 1500])), ("fp8_e5m2_row", KernelShape([4, 1024])),
    ]
    for (number, (id, shape)) in cases.enumerated() {
      let format = try FormatCatalog.format(id: id)
      // Everything decodes to itself but one value; then a row is not finite near its end.
      var values = (0..<shape.count).map { [1, -1, 0, 2][$0 % 4] as Float }
      values[shape.count / 2] = 1.01
      for last: Float? in [nil, .nan, .infinity] {
        if let last { values[shape.count - 3] = last }
        expectSameOnEveryLevel(
          values, shape, format: format, policy: policy(format, number))
        expectSameOnEveryLevel(
          values, shape, format: format, policy: format.defaultPolicy)
      }
    }
  }

  @Test("16-bit values give what their FP32 values give, rounded to nearest even, at any address")
  func numberTypes() throws {
    let memory = [GuardedMemory(8192), GuardedMemory(8192)]
    for (number, id) in Self.ids.enumerated() {
      let format = try FormatCatalog.format(id: id)
      let shapes = KernelShape.all(for: format.layout).filter { (1...1100).contains($0.count) }
      for (turn, type) in [ScalarType.float16, .bfloat16].enumerated() {
        let shape = shapes[(number + turn) % shapes.count]
        let element: ElementFormat = type == .float16 ? .fp16 : .bf16
        let mix = KernelInput.Mix.allCases[(number + turn) % 3]
        let codes = KernelInput.values(format, shape, mix, seed: UInt64(number)).map {
          UInt16(element.code(for: Double($0), overflow: .special))
        }
        let policy = policy(format, number + turn)
        // The reference on the widened values, of which a code decodes to the canonical NaN.
        let widened = codes.map { code -> Float in
          let value = Float(element.value(of: UInt32(code)))
          return value.isNaN ? .nan : value
        }
        let expected = KernelOutcome(quantizer(format, shape, policy, .reference), widened)
        let narrowed = expected.decoded.map {
          UInt16(element.code(for: Double(Float(bitPattern: $0)), overflow: .special))
        }
        for level in KernelLevel.supported {
          let quantizer = quantizer(format, shape, policy, .level(level))
          let label = "\(id) \(shape) \(type.id) on \(level.id)"
          for offset in [0, 1, 2, 7] {
            let source = memory[0].patterned(2 * codes.count, at: 128 + offset)
            let target = memory[1].patterned(2 * codes.count, at: 131 - offset)
            codes.withUnsafeBytes { source.copyMemory(from: $0) }
            var storage = quantizer.makeStorage()
            quantizer.encode(UnsafeRawBufferPointer(source), as: type, into: &storage)
            #expect(storage.codes == expected.storage.codes, "\(label)")
            #expect(storage.scales == expected.storage.scales, "\(label)")
            #expect(storage.subscales == expected.storage.subscales, "\(label)")
            #expect(storage.tally == expected.storage.tally, "\(label)")
            quantizer.decode(storage, into: target, as: type)
            #expect(narrowed.withUnsafeBytes { target.elementsEqual($0) }, "\(label)")
            quantizer.fakeQuantize(UnsafeRawBufferPointer(source), into: source, as: type)
            #expect(narrowed.withUnsafeBytes { source.elementsEqual($0) }, "\(label)")
            #expect(memory[0].isIntact(outside: source), "\(label)")
            #expect(memory[1].isIntact(outside: target), "\(label)")
          }
        }
      }
    }
  }

  @Test("Every number of threads gives the bytes of one")
  func threads() throws {
    // Above three times the grain of 2^18 elements, so that there are several parts.
    let shapes = [
      KernelShape([800_003]), KernelShape([907, 901], axis: 0), KernelShape([3, 517, 517]),
    ]
    for (number, id) in [
      "mxfp4", "mx6", "nvfp4", "nvfp4_2d", "fp8_e4m3_tensor", "bf16", "nf4",
    ].enumerated() {
      let format = try FormatCatalog.format(id: id)
      let shape = shapes[number % shapes.count]
      var state: UInt32 = 99
      let values = (0..<shape.count).map { _ -> Float in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) * (state & 63 == 0 ? 1e-4 : 1e-9)
      }
      let policy = policy(format, number)
      let one = KernelOutcome(quantizer(format, shape, policy, .best), values)
      for count in [2, 3, 7] {
        let many = KernelOutcome(quantizer(format, shape, policy, .best, threads: count), values)
        let difference = many.difference(from: one, values)
        #expect(difference == nil, "\(id) \(shape) with \(count) threads")
      }
    }
  }

  @Test("Results of 32 MiB, which go past the caches, are those of small ones")
  func streamedResults() throws {
    for (id, axis) in [("mxfp4", -1), ("fp8_e4m3_1x128", 0)] {
      let format = try FormatCatalog.format(id: id)
      let part = KernelShape([128, 512], axis: axis)
      let repeats = (32 << 20) / 4 / part.count
      let whole = KernelShape([128 * repeats, 512], axis: axis)
      let policy = format.defaultPolicy
      let values = KernelInput.values(format, part, .finite, seed: 8)
      let expected = KernelOutcome(quantizer(format, part, policy, .best), values).decoded
      let quantizer = quantizer(format, whole, policy, .best, threads: 2)
      let byteCount = 4 * part.count
      // At an address where no vector is aligned.
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: byteCount * repeats + 8, alignment: 64)
      defer { memory.deallocate() }
      let result = UnsafeMutableRawBufferPointer(
        rebasing: memory[4..<4 + byteCount * repeats])
      func fill() {
        for copy in 0..<repeats {
          values.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(
              rebasing: result[copy * byteCount..<(copy + 1) * byteCount]
            )
            .copyMemory(from: $0)
          }
        }
      }
      func expectCopies() {
        expected.withUnsafeBytes { expected in
          let isSame = (0..<repeats).allSatisfy { copy in
            guard let first = result.baseAddress, let right = expected.baseAddress else {
              return false
            }
            return memcmp(first + copy * byteCount, right, byteCount) == 0
          }
          #expect(isSame, "\(id)")
        }
      }
      fill()
      var storage = quantizer.makeStorage()
      quantizer.encode(UnsafeRawBufferPointer(result), into: &storage)
      quantizer.decode(storage, into: result)
      expectCopies()
      fill()
      quantizer.fakeQuantize(UnsafeRawBufferPointer(result), into: result)
      expectCopies()
    }
  }

  @Test("Any stored bytes, produced by an encoder or not, decode as in the reference")
  func storedCodes() throws {
    var generator = SeededGenerator(seed: 4)
    for (number, format) in FormatCatalog.all.enumerated() {
      let layout = format.layout
      for shape in [
        KernelShape.all(for: layout)[0], KernelShape([3, 83]), KernelShape([34, 19], axis: 0),
      ] {
        let empty = quantizer(format, shape, format.defaultPolicy, .reference).makeStorage()
        func random(_ field: StoredField, _ plane: BitPlane) -> [UInt32] {
          if field.extent == .perTensor {
            return [([1, 0.37, .nan, 0x1p100, .infinity] as [Float])[number % 5].bitPattern]
          }
          // Half of the scales lie where decoded values are ordinary.
          return (0..<plane.rowCount * plane.rowLength).map { _ in
            let word = generator.next()
            if field.element == .fp32, field.name != "codes", word & 1 == 1 {
              return Float(word % 1000).bitPattern
            }
            return UInt32(word >> UInt64(64 - plane.bitWidth))
          }
        }
        let storage = try QuantizedTensor(
          format: format, shape: shape.extents, axis: shape.axis,
          codes: Dictionary(
            uniqueKeysWithValues: zip(layout.fields, empty.planes).map {
              ($0.name, random($0, $1))
            }))
        func decoded(_ kernels: KernelSelection) -> [UInt32] {
          bits(shape.count) {
            quantizer(format, shape, format.defaultPolicy, kernels).decode(storage, into: $0)
          }
        }
        let expected = decoded(.reference)
        for level in KernelLevel.supported {
          let actual = decoded(.level(level))
          guard let index = actual.indices.first(where: { actual[$0] != expected[$0] }) else {
            continue
          }
          let value = Float(bitPattern: actual[index])
          Issue.record(
            "\(format.id) \(shape) on \(level.id): value \(index) is \(value), not \(Float(bitPattern: expected[index]))"
          )
        }
      }
    }
  }

  @Test("A given tensor scale, with exact powers of two and without")
  func tensorScale() throws {
    for id in ["nvfp4", "nvfp4_2d", "nvfp4_4over6", "vsq", "fp8_e4m3_tensor", "fp8_e5m2_tensor"] {
      let format = try FormatCatalog.format(id: id)
      for (number, scale) in [0x1p-128, 1, 0.0625, 0.0123, 3.7e4, 0x1p-100, 0x1p120].enumerated() {
        let shape = KernelShape.all(for: format.layout)[number]
        for mix in KernelInput.Mix.allCases {
          var policy = policy(format, number)
          policy.nonFinite = NonFiniteRule.allCases[number % 4]
          expectSameOnEveryLevel(
            KernelInput.values(format, shape, mix, seed: UInt64(number)), shape, format: format,
            policy: policy, tensorScale: Float(scale))
        }
      }
    }
  }

  @Test("A block is exact where every value comes back, NaN as NaN and either zero as the other")
  func exactBlocks() {
    let format = CastFormat(element: .e4m3fn, source: "")
    let unsignedZero = CastFormat(element: .e4m3fnuz, source: "")
    for kernels in [KernelSelection.reference] + KernelLevel.supported.map(KernelSelection.level) {
      func count(_ values: [Float], _ format: some BlockFormat) -> Int {
        var result = values
        let quantizer = TensorQuantizer(format: format, shape: [values.count], kernels: kernels)
        return result.withUnsafeMutableBytes { result in
          values.withUnsafeBytes {
            quantizer.fakeQuantizeCountingExactBlocks($0, into: result).exactBlockCount
          }
        }
      }
      #expect(count([1, .nan, -2], format) == 1)
      #expect(count([1.01, .nan, -2], format) == 0)
      #expect(count([.nan], SharedExponentFormat.mxfp4) == 1)
      // The block's NaN takes the other value with it.
      #expect(count([1, .nan], SharedExponentFormat.mxfp4) == 0)
      #expect(count([-0.0], unsignedZero) == 1)
    }
  }
}
