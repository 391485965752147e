import BlockFormats
import FormatTestSupport
import Testing

/// The formats of stored fields that other packages have, beyond their producers' defaults.
@Suite("Formats of several fields under every choice that they follow")
struct FieldFormatTests {
  static let formats: [any BlockFormat] =
    (2...8).flatMap { bits in
      [ElementFormat.fp32, .bf16, .fp16].map {
        AffineFormat.affine(bits: bits, group: 16, scale: $0)
      }
    }
    + [
      AffineFormat(id: "one", source: "a test", bits: 1, group: 16, scale: .bf16),
      AffineFormat.affine4, HiF4Format.hif4, AbsmaxFormat.nf4, AbsmaxFormat.nf4(block: 7),
      AbsmaxFormat.fp4BitsAndBytes(block: 12), IF4Format.if4, MacroBlockFormat.mxfp4MacroBlocks,
      AbsmaxFormat.lut(values: [-3, 0, 0.25, 1, 2], block: .vector(length: 8)),
    ] + GGMLFormats.all

  private static func roundings(_ format: some BlockFormat) -> [RoundingRule] {
    format.follows(.rounding) ? KernelPolicies.roundings : [format.defaultPolicy.rounding]
  }

  /// Values between two of the largest magnitudes in the same group, whose range leaves FP32 or nearly.
  private static func wideGroups(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    var values: [Float] = []
    while values.count < count {
      let top = Float.greatestFiniteMagnitude
      let tops: [Float] = [top, top.nextDown, top / 2, 0x1.8p126, 0x1.FFp127]
      let shares: [Float] = [0, 0.1, 0.5, 0.7, 0.97, 1]
      let largest = tops.randomElement(using: &generator) ?? top
      let share = shares.randomElement(using: &generator) ?? 0
      let sign: Float = Bool.random(using: &generator) ? 1 : -1
      for position in 0..<16 {
        let part: Float = position % 3 == 0 ? 1 : Float.random(in: 0...1, using: &generator)
        values.append(sign * (position % 4 == 1 ? largest : -largest * share * part))
      }
    }
    return Array(values.prefix(count))
  }

  @Test("A group beyond FP16 ends where its factor and offset do, and keeps what lies below")
  func affineBeyondHalf() throws {
    for bits in 2...8 {
      let format = AffineFormat.affine(bits: bits, group: 4, scale: .fp16)
      for values in [[0, 1e5, 10, -3], [0, -1e5, 1, 2], [7e4, -3e38, 0, 5] as [Float]] {
        let result = Tensor(values).fakeQuantized(to: format)
        // A step of the range that FP16 holds, and what FP16 rounds of both numbers.
        let bound = Float(2 * 65504) / Float((1 << bits) - 1) + 64
        for (value, decoded) in zip(values, result.tensor.elements) {
          let nearest = min(max(value, -65504), 65504)
          #expect(abs(decoded - nearest) <= bound, "\(bits) \(values): \(value) is \(decoded)")
        }
      }
    }
  }

  @Test(
    "Finite values decode to finite values where overflow saturates", arguments: 0..<formats.count)
  func finite(number: Int) {
    let format = Self.formats[number]
    let kinds: [KernelInput.Kind] = [
      .top, .huge, .finitePatterns, .subnormal, .normal, .zeros, .sparse,
    ]
    let length = format.layout.block.elementCount ?? 1
    for (turn, rounding) in Self.roundings(format).enumerated() {
      for (axis, shape) in [(-1, [3, length + 9]), (0, [2 * length - 5, 3])] {
        let count = shape[0] * shape[1]
        let seed = UInt64(100 * number + turn)
        var input = KernelInput(.e4m3fn, seed: seed)
        var shuffling = SeededGenerator(seed: seed)
        var mixed: [Float] = []
        for kind in kinds.shuffled(using: &shuffling) where mixed.count < count {
          mixed += input.block(kind, max(length / 2, count / kinds.count + 1))
        }
        mixed += [Float](repeating: 1, count: max(0, count - mixed.count))
        for values in [Array(mixed.prefix(count)), Self.wideGroups(count, seed: UInt64(turn))] {
          let policy = format.policy { $0.rounding = rounding }
          let decoded = Tensor(values, shape: shape)
            .fakeQuantized(to: format, axis: axis, policy: policy).tensor.elements
          let wrong = decoded.indices.first { values[$0].isFinite && !decoded[$0].isFinite }
          #expect(
            wrong == nil,
            "\(format.id) \(rounding.id): \(wrong.map { "\(values[$0]) decodes to \(decoded[$0])" } ?? "")"
          )
        }
      }
    }
  }

  /// A tensor of three rows of a full block and a half, and where something that is not finite stands.
  private static func spoilt(
    _ format: some BlockFormat, _ special: Float, at places: [Int], seed: UInt64
  ) -> (spoilt: [Float], shape: [Int], columns: Int) {
    let columns = (format.layout.block.elementCount ?? 1) * 3 / 2
    var values = randomValues(3 * columns, exponents: -3...3, seed: seed)
    for place in places { values[place] = special }
    return (values, [3, columns], columns)
  }

  /// The blocks of a tensor of some rows that hold an element of a list.
  private static func blocks(of places: [Int], _ format: some BlockFormat, _ shape: [Int])
    -> [[Int]]
  {
    blockIndices(format.layout, shape: shape, axis: 1).filter { block in
      places.contains { block.contains($0) }
    }
  }

  @Test(
    "One NaN or infinity makes its block NaN and leaves all others as they were",
    arguments: 0..<formats.count)
  func blockNaN(number: Int) {
    let format = Self.formats[number]
    for special in [Float.nan, .infinity, -.infinity] {
      let columns = (format.layout.block.elementCount ?? 1) * 3 / 2
      let places = [1, columns - 1]
      let (values, shape, _) = Self.spoilt(format, special, at: places, seed: 1)
      let clean = Self.spoilt(format, 1, at: places, seed: 1).spoilt
      let rules: [NonFiniteRule] = special.isNaN ? [.blockNaN, .element] : [.blockNaN]
      for rule in rules {
        let policy = format.policy { $0.nonFinite = rule }
        let result = Tensor(values, shape: shape).fakeQuantized(to: format, policy: policy)
        let expected = Tensor(clean, shape: shape).fakeQuantized(to: format, policy: policy).tensor
          .elements
        let spoilt = Set(Self.blocks(of: places, format, shape).joined())
        #expect(spoilt.count < values.count && spoilt.count >= 2)
        for (index, value) in result.tensor.elements.enumerated() {
          if spoilt.contains(index) {
            #expect(value.isNaN, "\(format.id) \(rule.id) \(index)")
          } else {
            #expect(
              value.bitPattern == expected[index].bitPattern, "\(format.id) \(rule.id) \(index)")
          }
        }
      }
    }
  }

  @Test(
    "NaN under `nan_to_zero` is encoded as zero is, to the last bit", arguments: 0..<formats.count)
  func nanToZero(number: Int) {
    let format = Self.formats[number]
    let policy = format.policy { $0.nonFinite = .nanToZero }
    let places = [0, 3, 4, (format.layout.block.elementCount ?? 1) * 3 / 2 - 1]
    let (values, shape, _) = Self.spoilt(format, .nan, at: places, seed: 2)
    let zeros = Self.spoilt(format, 0, at: places, seed: 2).spoilt
    for axis in [0, 1] {
      let found = Tensor(values, shape: shape).quantized(to: format, axis: axis, policy: policy)
      let expected = Tensor(zeros, shape: shape).quantized(to: format, axis: axis, policy: policy)
      #expect(found == expected && found.tally == expected.tally, "\(format.id) axis \(axis)")
    }
  }

  @Test(
    "Scales ignore infinities that stay in the block, and those become its ends",
    arguments: 0..<formats.count)
  func infinities(number: Int) {
    let format = Self.formats[number]
    for rule in [NonFiniteRule.element, .nanToZero] {
      for overflow in OverflowRule.allCases {
        for special in [Float.infinity, -.infinity] {
          let policy = format.policy { ($0.nonFinite, $0.overflow) = (rule, overflow) }
          let place = 5
          let (values, shape, columns) = Self.spoilt(format, special, at: [place], seed: 3)
          let block = Self.blocks(of: [place], format, shape)[0]
          // A value that the block holds already, of the largest magnitude and the same sign or not.
          let amax = block.filter { $0 != place }.map { values[$0].magnitude }.max() ?? 0
          let largest = block.first { $0 != place && values[$0].magnitude == amax } ?? 0
          var replaced = values
          // Searches take their weights from all values, so infinities count as the largest magnitude
          // there.
          let isWeighted = GGMLFormats.isSearched(format)
          replaced[place] = isWeighted ? Float(signOf: special, magnitudeOf: amax) : values[largest]
          let found = Tensor(values, shape: shape).quantized(to: format, policy: policy)
          let expected = Tensor(replaced, shape: shape).quantized(to: format, policy: policy)
          let name = "\(format.id) \(rule.id) \(overflow.id) \(special)"
          for (index, field) in format.layout.fields.enumerated().dropFirst()
          where !Self.isHiF4Exponent(field) {
            #expect(found.planes[index] == expected.planes[index], "\(name) \(field.name)")
          }
          let (decoded, other) = (found.dequantized().elements, expected.dequantized().elements)
          for index in 0..<3 * columns
          where index != place && !(format is HiF4Format && index / 8 == place / 8) {
            #expect(decoded[index].bitPattern == other[index].bitPattern, "\(name) \(index)")
          }
          // The infinity is at the end of what the block can say on its side.
          #expect(decoded[place].isFinite, "\(name)")
          let range = block.map { decoded[$0] }
          if isWeighted {
            #expect(decoded[place].bitPattern == other[place].bitPattern, "\(name)")
          } else if !(format is HiF4Format) {
            #expect(
              special > 0 ? decoded[place] >= range.max() ?? 0 : decoded[place] <= range.min() ?? 0,
              "\(name): \(decoded[place]) among \(range)")
          }
        }
      }
    }
  }

  /// The exponents of HiF4 follow from parts of a block, of which one lacks the infinity.
  private static func isHiF4Exponent(_ field: StoredField) -> Bool {
    field.name.hasPrefix("exponents")
  }

  // MARK: - Against the definitions

  /// Blocks of ordinary values, of one value, of equal ones, of one sign, tiny and with zeros.
  private static func blocks(_ length: Int, seed: UInt64) -> [[Float]] {
    let random = (0..<6).map { randomValues(length, exponents: -4...4, seed: seed + UInt64($0)) }
    return random
      + [
        random[0].map(abs), random[1].map { -abs($0) }, random[2].map { $0 * 0x1p-30 },
        random[3].map { Int($0 * 8) % 2 == 0 ? 0 : $0 }, random[4].map { 100 + $0 },
        [Float](repeating: 2.5, count: length), [Float](repeating: -1, count: length),
        [Float](repeating: 0, count: length), (0..<length).map { Float($0 % 9 - 4) },
        Array(random[5].prefix(1)), Array(random[0].prefix(max(1, length / 2))),
        Array(random[1].prefix(max(1, length - 3))),
      ]
  }

  /// Expects the fields of every block, alone, in rows and along the first axis.
  private func expect(
    _ format: some BlockFormat, _ policy: EncodingPolicy, _ blocks: [[Float]],
    _ reference: ([Float]) -> FieldFormatReference.Block
  ) {
    for values in blocks {
      let expected = reference(values)
      let name = "\(format.id) \(policy.rounding.id) \(values.prefix(8))"
      let alone = values.quantized(to: format, policy: policy)
      #expect(alone.tally.saturatedCount == expected.saturatedCount, "\(name)")
      // The same block down the middle of three columns.
      let columns = values.flatMap { value -> [Float] in [1 - value, value, 0.5] }
      let strided = Tensor(columns, shape: [values.count, 3]).quantized(
        to: format, axis: 0, policy: policy)
      for field in format.layout.fields {
        #expect(
          alone[field.name].unpacked() == expected.fields[field.name], "\(name) \(field.name)")
        if case .run = format.layout.block { continue }
        let codes = strided[field.name].unpacked()
        let middle = stride(from: 1, to: codes.count, by: 3).map { codes[$0] }
        #expect(middle == expected.fields[field.name], "\(name) \(field.name) along axis 0")
      }
    }
  }

  @Test("Affine groups of every width, scale and rounding have the fields of the definition")
  func affine() {
    for bits in 2...8 {
      for (scale, name) in [(ElementFormat.fp32, "fp32"), (.bf16, "bf16"), (.fp16, "fp16")] {
        let format = AffineFormat.affine(bits: bits, group: 24, scale: scale)
        for (turn, rounding) in NearestSearch.Rounding.allCases.enumerated()
        where Intensity.isDeep || (turn + bits) % 3 == 0 || rounding == .nearestEven {
          let policy = format.policy { $0.rounding = RoundingRule(rounding) }
          expect(format, policy, Self.blocks(24, seed: UInt64(10 * bits + turn))) {
            FieldFormatReference.affine($0, bits: bits, scale: name, rounding)
          }
        }
      }
    }
  }

  @Test("NF4 has the codes of the definition under every rounding")
  func nf4() throws {
    let vectors = try FieldVectorFile.all[0].load()
    let table = try #require(vectors.table).values
    for rounding in NearestSearch.Rounding.allCases {
      for length in [64, 7] {
        let format = AbsmaxFormat.nf4(block: length)
        expect(
          format, format.policy { $0.rounding = RoundingRule(rounding) },
          Self.blocks(length, seed: 5)
        ) {
          FieldFormatReference.nf4($0, table: table, rounding)
        }
      }
    }
  }

  @Test("ggml's formats without a search have the fields of the definition under every rounding")
  func ggml() {
    for (format, least) in [(GGMLSignedFormat.q4_0, Float(8)), (.q5_0, 16)] {
      expect(format, format.defaultPolicy, Self.blocks(32, seed: 6)) {
        FieldFormatReference.ggmlSigned($0, least: least)
      }
    }
    for (format, steps) in [(GGMLRangeFormat.q4_1, Float(15)), (.q5_1, 31)] {
      expect(format, format.defaultPolicy, Self.blocks(32, seed: 6)) {
        FieldFormatReference.ggmlRange($0, steps: steps)
      }
    }
    for (format, greatest, offset) in [
      (GGMLAmaxFormat.q8_0, Float(127), nil), (.tq1_0, 1, 1), (.tq2_0, 1, 1 as Int?),
    ] {
      for rounding in NearestSearch.Rounding.allCases {
        let policy = format.policy { $0.rounding = RoundingRule(rounding) }
        expect(format, policy, Self.blocks(format == .q8_0 ? 32 : 256, seed: 7)) {
          FieldFormatReference.ggmlAmax($0, greatest: greatest, rounding, offset: offset)
        }
      }
    }
  }

  @Test("HiF4 has the fields of the definition under every rounding")
  func hif4() {
    for rounding in NearestSearch.Rounding.allCases {
      let policy = HiF4Format.hif4.policy { $0.rounding = RoundingRule(rounding) }
      expect(.hif4, policy, Self.blocks(64, seed: 7)) { FieldFormatReference.hif4($0, rounding) }
    }
  }

  @Test("Codes of Q4_K are the nearest of the stored numbers, in whole and in short blocks")
  func q4_k() {
    for values in Self.blocks(256, seed: 8) {
      let tensor = values.quantized(to: .q4_k)
      let numbers = ["block_scales", "block_mins"].map {
        Float(ReferenceFacts.named("fp16").element.value(of: Int(tensor[$0].unpacked()[0])))
      }
      let (scales, mins) = (tensor["scales"].unpacked(), tensor["mins"].unpacked())
      #expect(scales.count == (values.count + 31) / 32 && mins.count == scales.count)
      let decoded = tensor.dequantized().elements
      for (index, code) in tensor["codes"].unpacked().enumerated() {
        let (scale, offset) = (
          numbers[0] * Float(scales[index / 32]), numbers[1] * Float(mins[index / 32])
        )
        #expect(decoded[index] == scale * Float(code) - offset)
        guard scale != 0 else { continue }
        let nearest = ((values[index] + offset) / scale).rounded(.toNearestOrEven)
        #expect(Float(code) == min(max(nearest, 0), 15))
      }
      // The largest factor and the largest offset of a part use the six bits up.
      if numbers[0] != 0 { #expect(scales.max() == 63) }
      if numbers[1] != 0 { #expect(mins.max() == 63) }
    }
  }

  @Test("Parts of zeros change nothing in the parts of a Q4_K block before them")
  func q4_kParts() {
    let values = randomValues(256, exponents: -4...4, seed: 9)
    for parts in 1...8 {
      let short = Array(values.prefix(32 * parts))
      let padded = short + [Float](repeating: 0, count: 256 - short.count)
      let (a, b) = (short.quantized(to: .q4_k), padded.quantized(to: .q4_k))
      #expect(a["codes"].unpacked()[...] == b["codes"].unpacked().prefix(short.count))
      #expect(a["scales"].unpacked()[...] == b["scales"].unpacked().prefix(parts))
      #expect(a["block_scales"] == b["block_scales"] && a["block_mins"] == b["block_mins"])
    }
  }

  // MARK: - What saturates

  @Test(
    "Values beyond what the stored numbers reach become the largest that there are, and are counted"
  )
  func saturation() {
    // 65504 is the largest number of FP16.
    let q5 = [Float.greatestFiniteMagnitude, -1e30, 1, 0].quantized(to: .q5_0)
    #expect(q5.dequantized().elements == [16 * 65504, -15 * 65504, 0, 0].map(Float.init))
    #expect(q5.tally.saturatedCount == 2)
    let q4 = [Float.greatestFiniteMagnitude, -1e30, 0, 1e20].quantized(to: .q4_k)
    let unit: Float = 63 * 65504
    #expect(q4.dequantized().elements == [14 * unit, -unit, 0, 14 * unit])
    #expect(q4.tally.saturatedCount == 2)
    let hif4 = [Float.greatestFiniteMagnitude, -1e30, 0, 7].quantized(to: .hif4)
    #expect(hif4.dequantized().elements == [7 * 49152, -7 * 49152, 0, 0].map(Float.init))
    #expect(hif4.tally.saturatedCount == 2)
    // A table ends at one, which the largest magnitude becomes; nothing is beyond it.
    let nf4 = [Float.greatestFiniteMagnitude, -1e30, 0].quantized(to: .nf4)
    #expect(nf4.dequantized().elements == [.greatestFiniteMagnitude, 0, 0])
    #expect(nf4.tally.saturatedCount == 0)
  }

  @Test("Every rounding is followed: the codes of random blocks differ from the default's")
  func roundingsAreFollowed() {
    let values = randomValues(512, exponents: -3...3, seed: 11)
    // One bit has too few neighbours to tell the rules apart.
    for format in Self.formats where format.follows(.rounding) && format.element.bitWidth > 1 {
      let codes = Self.roundings(format).map { rounding in
        values.quantized(to: format, policy: format.policy { $0.rounding = rounding })["codes"]
      }
      // The four rules of the nearest are one for values without ties; for integers from 0 on, down is
      // toward zero.
      #expect(Set(codes).count >= codes.count - 4, "\(format.id)")
    }
  }

  @Test("Stochastic rounding draws by the element's place in the tensor, along either axis")
  func stochastic() {
    let rule = RoundingRule.stochastic(StochasticSource(seed: 4, randomBitCount: 16))
    let block = randomValues(64, exponents: -2...2, seed: 12)
    for format: any BlockFormat in [AffineFormat.affine4, HiF4Format.hif4] {
      let policy = format.policy { $0.rounding = rule }
      let rows = Tensor(block + block, shape: [2, 64]).quantized(to: format, policy: policy)[
        "codes"
      ].unpacked()
      #expect(rows.prefix(64) != rows.suffix(64), "\(format.id)")
      // Both neighbours of every value occur among many draws, and no other code.
      let many = Tensor([[Float]](repeating: block, count: 50).flatMap { $0 }, shape: [50, 64])
        .quantized(to: format, policy: policy)["codes"].unpacked()
      let ends = [RoundingRule.down, .up].map { rounding in
        block.quantized(to: format, policy: format.policy { $0.rounding = rounding })["codes"]
          .unpacked()
      }
      for column in 0..<64 {
        let drawn = Set(stride(from: column, to: many.count, by: 64).map { many[$0] })
        #expect(drawn.isSubset(of: [ends[0][column], ends[1][column]]), "\(format.id) \(column)")
      }
    }
  }
}
