import BlockFormats
import FormatTestSupport
import Testing

@Suite("ggml's block formats")
struct GGMLFormatTests {
  // MARK: - Bytes

  private func decoded(
    _ format: some BlockFormat, _ bytes: [UInt8], blocks: Int
  ) throws -> [Float] {
    let length = try #require(format.layout.block.elementCount)
    let packing = try #require(format.packings.first)
    return try QuantizedTensor(
      format: format, shape: [blocks, length], packing: packing, streams: [bytes]
    ).dequantized().elements
  }

  /// 256 blocks in which every byte takes every value, but for the high bytes of FP16 numbers, which are
  /// those of finite ones.
  private func everyByte(_ byteCount: Int, halves: [Int], seed: UInt64) -> [[UInt8]] {
    var generator = SeededGenerator(seed: seed)
    let shuffles = (0..<byteCount).map { _ in
      (0..<256).map { UInt8($0) }.shuffled(using: &generator)
    }
    return (0..<256).map { block in
      var bytes = shuffles.map { $0[block] }
      for start in halves where bytes[start + 1] & 0x7C == 0x7C { bytes[start + 1] ^= 0x40 }
      return bytes
    }
  }

  @Test(
    "Every byte in every place of a block decodes as ggml does",
    arguments: 0..<GGMLFormats.all.count)
  func bytes(number: Int) throws {
    let format = GGMLFormats.all[number]
    let shape = try #require(GGMLByteDecoder.shapes[format.id])
    let blocks = everyByte(shape.byteCount, halves: shape.halves, seed: UInt64(number))
    let found = try decoded(format, blocks.flatMap { $0 }, blocks: blocks.count)
    let expected = blocks.flatMap { GGMLByteDecoder.values(format.id, $0) }
    #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(format.id)")
  }

  @Test("Every FP16 number decodes as ggml does, in every place of one")
  func halves() throws {
    for format in GGMLFormats.all {
      let shape = try #require(GGMLByteDecoder.shapes[format.id])
      for place in shape.halves {
        let blocks = stride(from: 0, to: 0x10000, by: 127).map { bits -> [UInt8] in
          var bytes = (0..<shape.byteCount).map { UInt8(truncatingIfNeeded: 37 * $0 + 11) }
          for start in shape.halves { bytes[start + 1] = 0x2C }
          (bytes[place], bytes[place + 1]) = (UInt8(bits & 0xFF), UInt8(bits >> 8))
          return bytes
        }
        let found = try decoded(format, blocks.flatMap { $0 }, blocks: blocks.count)
        let expected = blocks.flatMap { GGMLByteDecoder.values(format.id, $0) }
        for (a, b) in zip(found, expected) {
          #expect(a.bitPattern == b.bitPattern || a.isNaN && b.isNaN, "\(format.id) \(place)")
        }
      }
    }
  }

  @Test("TQ1_0 reads all 256 bytes, and writes the 243 of them that five trits have")
  func trits() throws {
    let format = GGMLAmaxFormat.tq1_0
    let packing = try #require(format.packings.first)
    var written: Set<UInt8> = []
    for byte in UInt8.min...UInt8.max {
      let bytes = [UInt8](repeating: byte, count: 52) + [0, 0x3C]
      let tensor = try QuantizedTensor(
        format: format, shape: [256], packing: packing, streams: [bytes])
      let again = tensor.packed(as: packing)[0]
      written.insert(again[0])
      let back = try QuantizedTensor(
        format: format, shape: [256], packing: packing, streams: [again])
      #expect(back.planes == tensor.planes, "\(byte)")
      #expect(back.packed(as: packing)[0] == again, "\(byte)")
      // The trits of a byte as digits of a number in base 3.
      let number = (0..<5).reduce(0) { 3 * $0 + Int(tensor["codes"].unpacked()[32 * $1]) }
      #expect(again[0] == UInt8((Double(number) * 256 / 243).rounded(.up)), "\(byte)")
    }
    #expect(written.count == 243)
  }

  #if os(macOS) || os(Linux)
  @Test("A code that is no trit has no bytes")
  func noTrit() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let format = GGMLAmaxFormat.tq1_0
      let codes = ["codes": [UInt32](repeating: 3, count: 256), "scales": [0]]
      guard let tensor = try? QuantizedTensor(format: format, shape: [256], codes: codes) else {
        return
      }
      _ = tensor.packed(as: format.packings[0])
    }
    #expect(reports(result, "code 3 is none of the three that ggml's bytes of tq1_0 hold"))
  }
  #endif

  // MARK: - Blocks of extremes

  @Test("Blocks of zeros and of tiny values are finite and end where ggml's do")
  func zeros() {
    for format in GGMLFormats.all {
      let length = format.layout.block.elementCount ?? 1
      for value in [Float(0), -0, .leastNonzeroMagnitude, -.leastNormalMagnitude, 1e-16, -1e-12] {
        let decoded = [Float](repeating: value, count: length).quantized(to: format)
          .dequantized().elements
        // FP16 scales end at 2^-24, so at most a few thousand times that can be left.
        #expect(decoded.allSatisfy { $0.magnitude <= 0x1p-12 }, "\(format.id) \(value)")
        if value.magnitude < 1e-15 {
          #expect(decoded.allSatisfy { $0 == 0 }, "\(format.id) \(value)")
        }
      }
    }
  }

  @Test("Where a scale would leave FP16 the largest magnitudes become the format's ends")
  func ends() {
    // 65504 is the largest number of FP16.
    let greatest: [(id: String, positive: Float, negative: Float)] = [
      ("q4_0", 8, -8), ("q5_0", 16, -16), ("q4_1", 16, -1), ("q5_1", 32, -1), ("q8_0", 127, -127),
      ("tq1_0", 1, -1), ("tq2_0", 1, -1), ("iq4_nl", 113, -113), ("q2_k", 45, -15),
      ("q4_k", 15 * 63, -63), ("q5_k", 31 * 63, -63), ("q3_k", 128, -128), ("q6_k", 4096, -4096),
    ]
    for (id, positive, negative) in greatest {
      guard let format = GGMLFormats.all.first(where: { $0.id == id }) else {
        Issue.record("no \(id)")
        continue
      }
      for large in [Float(1e10), 1e20, 3e38] {
        let one = [large].quantized(to: format).dequantized().elements[0]
        #expect(one == positive * 65504, "\(id) \(large)")
        let other = [-large].quantized(to: format).dequantized().elements[0]
        #expect(other == negative * 65504, "\(id) \(-large)")
      }
    }
  }

  @Test("Values that are all sums of squares beyond FP32 keep their order")
  func hugeParts() {
    for format in GGMLFormats.searched {
      let values = (0..<256).map { Float($0 - 128) * 1e30 }
      let decoded = values.quantized(to: format).dequantized().elements
      #expect(decoded.allSatisfy { $0.isFinite }, "\(format.id)")
      #expect(zip(decoded, decoded.dropFirst()).allSatisfy { $0 <= $1 }, "\(format.id)")
    }
  }

  @Test("NaN under `nan_to_max` is encoded as +Inf is, which is the end of the block on that side")
  func nanToMax() {
    for format in GGMLFormats.all {
      let policy = format.policy { $0.nonFinite = .nanToMax }
      let length = format.layout.block.elementCount ?? 1
      for seed in 0..<6 {
        var values = randomValues(2 * length, exponents: -3...3, seed: UInt64(70 + seed))
        values[3] = .nan
        let found = values.quantized(to: format, policy: policy)
        values[3] = .infinity
        let expected = values.quantized(to: format, policy: policy)
        #expect(found.planes == expected.planes, "\(format.id)")
        let decoded = found.dequantized().elements
        #expect(decoded[3].isFinite && decoded[3] > 0, "\(format.id) \(decoded[3])")
      }
    }
  }

  @Test("What explanations say is rounded gives the code that the encoder stores")
  func explained() throws {
    for format in GGMLFormats.all {
      let account = try #require(format as? any ExplainedFormat)
      let length = format.layout.block.elementCount ?? 1
      for rule in format.scaleRules {
        let policy = format.policy { $0.scaleRule = rule }
        for values in [
          randomValues(length, exponents: -3...3, seed: 60), (0..<length).map { Float($0 % 9) / 2 },
          [Float](repeating: 0, count: length), [1e10, -3, 0, 7],
        ] {
          let block = ExplainedBlock(values, as: format, policy: policy)
          for index in values.indices {
            let code = format.element.code(
              for: account.scaledValue(at: index, in: block), rounding: policy.rounding,
              overflow: policy.overflow)
            // A limit keeps encoders from the fourth code of TQ2_0.
            let own = format.id == "tq2_0" ? min(code, 2) : code
            #expect(own == block.trace.codes[0][index], "\(format.id) \(rule.id) \(index)")
          }
        }
      }
    }
  }

  // MARK: - Searches

  /// What each code of an element would decode to in a stored tensor of one block.
  private func alternatives(_ tensor: QuantizedTensor, at index: Int) throws -> [Float] {
    let layout = tensor.format.layout
    return try (0..<UInt32(1) << UInt32(layout.element.bitWidth)).map { code in
      var fields = Dictionary(
        uniqueKeysWithValues: layout.fields.map { ($0.name, tensor[$0.name].unpacked()) })
      fields["codes"]?[index] = code
      return try QuantizedTensor(format: tensor.format, shape: tensor.shape, codes: fields)
        .dequantized().elements[index]
    }
  }

  @Test("No other code is nearer to the value under the stored numbers, in whole and short blocks")
  func nearest() throws {
    for format in GGMLFormats.searched where format.layout.block == .vector(length: 256) {
      for (seed, count) in [256, 100, 17, 1].enumerated() {
        let values = randomValues(count, exponents: -4...4, seed: UInt64(20 + seed))
        let tensor = values.quantized(to: format)
        let decoded = tensor.dequantized().elements
        for index in stride(from: seed, to: count, by: 5) {
          let best = try alternatives(tensor, at: index).map { abs($0 - values[index]) }.min() ?? 0
          // The encoder's quotient and the decoder's difference are rounded, each by 2^-24 of numbers up
          // to twice the largest magnitude of the block.
          let slack = 4 * 0x1p-24 * (values.map(\.magnitude).max() ?? 0)
          #expect(abs(decoded[index] - values[index]) <= best + slack, "\(format.id) \(index)")
        }
      }
    }
  }

  /// The squared error weighted with x², in Double.
  private func weightedError(_ values: [Float], _ decoded: [Float]) -> Double {
    zip(values, decoded).reduce(0) { sum, pair in
      let (x, y) = (Double(pair.0), Double(pair.1))
      return sum + x * x * (x - y) * (x - y)
    }
  }

  @Test("The search of IQ4_NL has less error than its first factor, and its codes are the nearest")
  func table() throws {
    let format = GGMLTableFormat.iq4_nl
    var (searched, first) = (0.0, 0.0)
    for seed in 0..<40 {
      let values = randomValues(32, exponents: -2...2, seed: UInt64(50 + seed))
      let tensor = values.quantized(to: format)
      let decoded = tensor.dequantized().elements
      searched += weightedError(values, decoded)
      first += weightedError(
        values,
        values.quantized(
          to: format, policy: format.policy { $0.scaleRule = ScaleRule(GGMLRule.firstFactor) }
        ).dequantized().elements)
      for index in values.indices {
        let others = try alternatives(tensor, at: index).map { abs($0 - values[index]) }
        // Codes follow from the scale before FP16 rounds it by up to 2^-11 of itself.
        let slack = 0x1p-11 * 2 * abs(values[index])
        #expect(abs(decoded[index] - values[index]) <= (others.min() ?? 0) + slack, "\(index)")
      }
    }
    #expect(searched < first)
  }

  @Test("IQ4_NL follows rounding rules: each value becomes one of its neighbours on the named side")
  func tableRounding() throws {
    let format = GGMLTableFormat.iq4_nl
    let values = randomValues(32, exponents: -2...2, seed: 90)
    let nearest = values.quantized(to: format)
    let scale = ElementFormat.fp16.value(of: nearest["scales"].unpacked()[0])
    func elements(_ rounding: RoundingRule) -> [Double] {
      let tensor = values.quantized(to: format, policy: format.policy { $0.rounding = rounding })
      #expect(tensor["scales"] == nearest["scales"])
      return tensor["codes"].unpacked().map { format.element.value(of: $0) }
    }
    let (down, up) = (elements(.down), elements(.up))
    for (index, element) in elements(.toNearestOrEven).enumerated() {
      #expect(element == down[index] || element == up[index])
      let quotient = Double(values[index]) / scale
      if quotient > -126 && quotient < 112 {
        #expect(down[index] < up[index] && down[index] <= quotient * 1.001 + 0.2)
      }
    }
  }

  @Test("NVFP4's scales go half up, are 448 from 256 on, and stay below 2^-6 from below")
  func scalesOfNVFP4() {
    // 6 · s is exact for these s of few bits, and so is amax / 6.
    let scales: [(Float, UInt32)] = [
      (0, 0), (0x1p-11, 0), (0x1p-10, 1), (0x1.8p-9, 2), (0x1.dp-7, 7), (0x1.fp-7, 7),
      (0x1p-6, 8), (0x1.08p-6, 8), (0x1.1p-6, 9), (1, 0x38), (0x1.1p0, 0x39), (240, 0x77),
      (247, 0x77), (248, 0x7E), (256, 0x7E), (448, 0x7E), (0x1p100, 0x7E),
    ]
    for (scale, code) in scales {
      let tensor = [6 * scale, 0].quantized(to: .nvfp4GGML)
      #expect(tensor["scales"].unpacked() == [code], "\(scale)")
    }
    // Ties toward zero, no zero negative, infinity and beyond at 6 · 448.
    let values: [Float] = [6, 0.25, -0.25, -0.1, -0.0, 0.75, 5, -2.5]
    #expect(
      values.quantized(to: .nvfp4GGML)["codes"].unpacked() == [7, 0, 0, 0, 0, 1, 6, 12])
    func decoded(_ values: [Float]) -> [Float] {
      values.quantized(to: .nvfp4GGML).dequantized().elements
    }
    #expect(decoded([.greatestFiniteMagnitude, 1]) == [2688, 0])
    #expect(decoded([.nan, 1]).allSatisfy { $0.isNaN })
  }
}
