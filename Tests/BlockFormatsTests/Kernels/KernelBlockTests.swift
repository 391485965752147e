import CBlockKernels
import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Kernels that encode whole blocks")
struct KernelBlockTests {
  /// Formats whose scales follow from more than a largest magnitude, of usual and unusual lengths.
  static let ids =
    (2...8).map { "affine\($0)" } + [
      "affine4(group=32,scale=fp16)", "affine8(group=128,scale=bf16)", "affine3(group=5)",
      "affine2(group=1,scale=fp16)", "affine5(group=4000)", "affine6(group=24,scale=bf16)",
      "affine4(group=16)", "affine4(group=8)", "affine4(group=2)", "q5_0", "q4_1", "q5_1", "q8_0",
      "tq1_0", "tq2_0", "iq4_nl",
    ]

  /// Blocks of many kinds: of one sign or both, around zero and far from it, constant, of few values,
  /// with both ends equal, with zeros of both signs, too small or too large for what is stored.
  private static func values(_ count: Int, block: Int, isUsual: Bool, seed: Int) -> [Float] {
    var generator = SeededGenerator(seed: UInt64(seed))
    func word() -> UInt32 { UInt32(truncatingIfNeeded: generator.next() >> 16) }
    var values: [Float] = []
    while values.count < count {
      let size = Float(sign: .plus, exponent: Int(word() % 12) - 6, significand: 1)
      let kind = word() % (isUsual ? 10 : 16)
      let middle = Float(Int32(bitPattern: word())) * 0x1p-30 * size
      let extent = block / 2 + 1 + Int(word() % UInt32(block))
      for index in 0..<extent {
        let uniform = Float(Int32(bitPattern: word())) * 0x1p-31
        let value: Float
        switch kind {
        case 0, 1: value = uniform * size
        case 2: value = middle + uniform * size * 0x1p-3
        case 3: value = middle * 64 + uniform * size * 0x1p-12
        case 4: value = middle
        case 5: value = Float(Int(word() % 7) - 3) * size
        case 6: value = index % 3 == 0 ? size : index % 3 == 1 ? -size : uniform * size
        case 7: value = [0, -0.0, uniform.magnitude * size][Int(word() % 3)]
        case 8: value = word() & 1 == 0 ? 0 : -0.0
        case 9: value = Float(Int(word() % 61) - 30) * 0.5 * size
        case 10: value = uniform * 1e-7 * (word() & 1 == 0 ? 1 : 1e-32)
        case 11: value = uniform * 65504 * 40
        case 12: value = Float(bitPattern: word() & 0x807F_FFFF)
        case 13: value = uniform * 3e38
        case 14: value = Float(bitPattern: word())
        default:
          value = word() % 64 == 0 ? [.nan, .infinity, -.infinity][Int(word() % 3)] : uniform
        }
        values.append(value)
      }
    }
    return Array(values.prefix(count))
  }

  private func policies(_ format: some BlockFormat, _ number: Int) -> [EncodingPolicy] {
    // Random bits have no thresholds, by which kernels search tables.
    let some = KernelPolicies.some(format, round: number).filter {
      if case .stochastic = $0.rounding { !format.element.isTable } else { true }
    }
    return [format.defaultPolicy, some[number % some.count], some[(3 * number + 1) % some.count]]
  }

  @Test("Every kind of block, at every place among others, under every rounding")
  func blocks() throws {
    for (number, id) in Self.ids.enumerated() {
      let format = try FormatCatalog.format(id: id)
      let block = min(format.layout.block.elementCount ?? 1, 300)
      for round in 0..<(Intensity.isDeep ? 60 : 3) {
        for isUsual in [true, false] {
          let turn = number + 17 * round
          let count = [1300, 4096 + 8 * block, 64 * block + 3, 20 * block, 517, 2048][turn % 6]
          let values = Self.values(count, block: block, isUsual: isUsual, seed: turn)
          let policy = policies(format, turn)[round % 3]
          #expect(
            TensorQuantizer(format: format, shape: [count], policy: policy).kernelLevel != nil)
          expectSameOnEveryLevel(
            values, KernelShape([count]), format: format, policy: policy)
        }
      }
    }
  }

  @Test("Rows that end inside a block, and blocks along other axes")
  func shapes() throws {
    for (number, id) in Self.ids.enumerated() {
      let format = try FormatCatalog.format(id: id)
      let block = min(format.layout.block.elementCount ?? 1, 90)
      let shapes = [
        KernelShape([7, 3 * block + 1]), KernelShape([2 * block + 3, 70], axis: 0),
        KernelShape([2, block, 33], axis: 1), KernelShape([5, 2 * block - 1]),
        KernelShape([block + 1, 5, 3], axis: 0), KernelShape([300, 1], axis: 0),
        KernelShape([2, 40, 2, 9], axis: 1),
      ]
      for (index, shape) in shapes.enumerated() {
        for isUsual in [true, false] {
          let values = Self.values(
            shape.count, block: shape.axis < 0 ? block : 3, isUsual: isUsual,
            seed: number + 100 * index)
          expectSameOnEveryLevel(
            values, shape, format: format, policy: policies(format, number + index)[index % 3])
        }
      }
    }
  }

  @Test("Kernels leave no usual block to the format, and touch nothing beside their rows")
  func kernels() throws {
    let memory = (0..<6).map { _ in GuardedMemory(4 * 16 * 40 * 130) }
    func place<Value>(_ values: [Value], _ index: Int) -> UnsafeMutablePointer<Value> {
      let target = memory[index].atEnd(values.count * MemoryLayout<Value>.stride)
      values.withUnsafeBytes { target.copyMemory(from: $0) }
      return target.baseAddress!.assumingMemoryBound(to: Value.self)
    }
    for (number, id) in Self.ids.enumerated() where id != "affine5(group=4000)" {
      let format = try #require(try FormatCatalog.format(id: id) as? any KernelFormat)
      guard case .stored(var coder) = format.kernelScale(policy: format.defaultPolicy) else {
        Issue.record("\(id) has no encoder of blocks")
        continue
      }
      let size = coder.stored.byteCount
      for count in [0, 1, coder.block - 1, coder.block, 5 * coder.block + 1, 40 * coder.block] {
        let values = Self.values(count, block: coder.block, isUsual: true, seed: number)
        let blocks = (count + coder.block - 1) / coder.block
        let source = place(values, 0)
        let reference = TensorQuantizer(format: format, shape: [count], kernels: .reference)
        var expected = reference.makeStorage()
        values.withUnsafeBytes { reference.encode($0, into: &expected) }
        for level in KernelLevel.supported {
          let label = "\(id), \(count) on \(level.id)"
          let codes = place([UInt8](repeating: 0xAA, count: count), 1)
          let scales = place([UInt8](repeating: 0xAA, count: size * blocks), 2)
          let offsets = place([UInt8](repeating: 0xAA, count: size * blocks), 3)
          let hasOffsets = expected.planes.count == 3
          var overflows = 0
          let done = kernelTable(level).encode_blocks(
            &coder, source, count, nil, codes, scales, hasOffsets ? offsets : nil, &overflows)
          #expect(done == count, "\(label)")
          #expect(overflows == expected.tally.saturatedCount, "\(label)")
          func bytes(_ start: UnsafeMutablePointer<UInt8>) -> [UInt8] {
            Array(UnsafeBufferPointer(start: start, count: size * blocks))
          }
          #expect(bytes(scales) == expected.planes[1].bytes, "\(label)")
          if hasOffsets { #expect(bytes(offsets) == expected.planes[2].bytes, "\(label)") }
          let own = (0..<count).map { UInt32(codes[$0]) }
          #expect(own == expected.codes.unpacked(), "\(label)")
        }
      }
    }
  }

  @Test("Stored numbers of any kind, in every type, decode as in the reference")
  func storedNumbers() throws {
    for (number, id) in Self.ids.enumerated() {
      let format = try FormatCatalog.format(id: id)
      for (turn, shape) in [KernelShape([4, 1031]), KernelShape([77, 41], axis: 0)].enumerated() {
        var generator = SeededGenerator(seed: UInt64(10 * number + turn))
        let empty = TensorQuantizer(format: format, shape: shape.extents, axis: shape.axis)
          .makeStorage()
        // Half of the tensors hold ordinary numbers, the others any.
        for isUsual in [true, false] {
          let codes = zip(format.layout.fields, empty.planes).map { field, plane in
            (
              field.name,
              (0..<plane.rowCount * plane.rowLength).map { _ -> UInt32 in
                let word = generator.next()
                guard field.name != "codes", isUsual || word & 3 != 0 else {
                  return UInt32(word >> UInt64(64 - plane.bitWidth))
                }
                return field.element.code(for: Double(Int64(bitPattern: word)) * 0x1p-66)
              }
            )
          }
          let tensor = try QuantizedTensor(
            format: format, shape: shape.extents, axis: shape.axis,
            codes: Dictionary(uniqueKeysWithValues: codes))
          func decoded(_ kernels: KernelSelection) -> [UInt32] {
            bits(shape.count) {
              TensorQuantizer(
                format: format, shape: shape.extents, axis: shape.axis, kernels: kernels
              ).decode(tensor, into: $0)
            }
          }
          let expected = decoded(.reference)
          for level in KernelLevel.supported {
            #expect(decoded(.level(level)) == expected, "\(id) \(shape) on \(level.id)")
          }
        }
      }
    }
  }

  @Test("Sixteen-bit inputs, results in place and threads")
  func numbersAndThreads() throws {
    for (number, id) in ["affine4", "affine8(group=32,scale=fp16)", "q5_0", "q8_0", "iq4_nl"]
      .enumerated()
    {
      let format = try FormatCatalog.format(id: id)
      let shape = KernelShape(number == 1 ? [700, 901] : [400, 1603], axis: number == 1 ? 0 : -1)
      // Unusual blocks of the last one take the reference long.
      let isUsual = number == 0 || id == "iq4_nl"
      let values = Self.values(shape.count, block: 32, isUsual: isUsual, seed: number)
      func quantizer(_ threads: Int) -> TensorQuantizer {
        TensorQuantizer(
          format: format, shape: shape.extents, axis: shape.axis,
          parallelism: .threads(threads))
      }
      let one = KernelOutcome(quantizer(1), values)
      for threads in [2, 5] {
        #expect(KernelOutcome(quantizer(threads), values).difference(from: one, values) == nil)
      }
    }
  }
}
