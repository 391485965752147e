import BlockFormats
import FormatTestSupport
import Testing

/// Formats whose producers differ from the library in a way that is stated, against their vectors.
@Suite("Formats whose encoders or decoders differ from their producers' by a stated rule")
struct DialectVectorTests {
  private func load(_ path: String) throws -> FieldVectors {
    try VectorFile.load(FieldVectors.self, from: path + ".json")
  }

  // MARK: - Double quantization

  @Test("NF4 below quantized maxima decodes to bitsandbytes' values from its fields")
  func doubleQuantizationDecodes() throws {
    let vectors = try load("nf4_double/bitsandbytes")
    let names = [
      "nested_offset": "nested_offset", "nested_absmax": "nested_scales", "absmax": "scales",
      "codes": "codes",
    ]
    #expect(vectors.cases.count >= 4)
    for vector in vectors.cases {
      let codes = Dictionary(
        uniqueKeysWithValues: vector.fields.map { (names[$0.key] ?? $0.key, $0.value.patterns) })
      let tensor = try QuantizedTensor(
        format: .nf4Double, shape: [vector.rows, vector.columns], codes: codes)
      #expect(
        tensor.dequantized().elements.map(\.bitPattern) == vector.decoded.bitPatterns,
        "\(vector.name)")
    }
  }

  @Test("The dynamic map has bitsandbytes' bits, and its codes rise")
  func dynamicMap() throws {
    let table = try #require(try load("nf4_double/bitsandbytes").table).values
    let values = (0..<UInt32(256)).map { Float(ElementFormat.dynamic8.value(of: $0)) }
    #expect(values.map(\.bitPattern) == table.map(\.bitPattern))
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test(
    "Codes of elements are bitsandbytes', and of the numbers above them few differ, by one step")
  func doubleQuantizationEncodes() throws {
    var (count, different) = (0, 0)
    for vector in try load("nf4_double/bitsandbytes").cases {
      let values = try #require(vector.input).values
      let tensor = Tensor(values, shape: [vector.rows, vector.columns]).quantized(to: .nf4Double)
      #expect(tensor["codes"].unpacked() == vector.fields["codes"]?.patterns, "\(vector.name)")
      let offset = try #require(vector.fields["nested_offset"]?.patterns.first)
      let own = try #require(tensor.tensorNumber).bitPattern
      #expect(
        abs(Int(own) - Int(offset)) <= 1, "\(vector.name): the mean, in units in the last place")
      // Where all groups are the mean, any code is as good.
      guard vector.fields["nested_absmax"]?.patterns != [0] else { continue }
      let theirs = try #require(vector.fields["absmax"]?.patterns)
      let mine = tensor["scales"].unpacked()
      for (a, b) in zip(mine, theirs) {
        count += 1
        if a != b { different += 1 }
        #expect(abs(Int(a) - Int(b)) <= 1, "\(vector.name)")
      }
    }
    #expect(count == 24 + 16 + 24)
    #expect(different <= 3, "\(different)")
  }

  // MARK: - fouroversix

  /// Codes and scales that differ, of how many blocks, and the largest distance of decoded values in
  /// units of 2^-23 of the larger one.
  private func compare(
    _ id: String, isInteger: (UInt32) -> Bool = { _ in false }
  ) throws -> (blocks: Int, scales: Int, codes: Int, distance: Double) {
    let format = try FormatCatalog.format(id: id)
    var result = (blocks: 0, scales: 0, codes: 0, distance: 0.0)
    for vector in try load("fouroversix/" + id).cases {
      let values = try #require(vector.input).values
      let tensor = Tensor(values, shape: [vector.rows, vector.columns]).quantized(to: format)
      let (scales, codes) = (tensor["scales"].unpacked(), tensor["codes"].unpacked())
      let theirs = try (
        scales: #require(vector.fields["scales"]).patterns,
        codes: #require(vector.fields["codes"]).patterns
      )
      result.blocks += scales.count
      let decoded = tensor.dequantized().elements
      for block in scales.indices {
        let range = 16 * block..<16 * block + 16
        guard scales[block] == theirs.scales[block] else {
          result.scales += 1
          continue
        }
        // The tool drops the sign of -0, and has no code for it in an integer.
        let same = range.allSatisfy { index in
          let zero = codes[index] & 0x7 == 0 && theirs.codes[index] & 0x7 == 0 && values[index] == 0
          return codes[index] == theirs.codes[index] || zero
        }
        guard same else {
          result.codes += 1
          continue
        }
        for index in range {
          let (a, b) = (Double(decoded[index]), Double(vector.decoded.values[index]))
          if a != b {
            result.distance = max(
              result.distance, abs(a - b) / max(abs(a), abs(b)) * 0x1p23)
          }
        }
      }
    }
    return result
  }

  @Test(
    "IF4 has fouroversix' scales, choices and codes, and its values within the roundings of amax")
  func if4() throws {
    let result = try compare("if4")
    #expect(result.blocks == 60 + 40 + 40 + 20 + 40 + 2)
    #expect(result.scales == 0 && result.codes == 0, "\(result)")
    // R is two roundings from amax / 2688, the products are three of each side.
    #expect(result.distance <= 4, "\(result)")
  }

  @Test("NVINT4 and NVFP6 have fouroversix' codes and, but for ties of scales, its scales")
  func kin() throws {
    for id in ["nvint4", "nvfp6_e2m3"] {
      let result = try compare(id)
      #expect(result.blocks == 60 + 40 + 40 + 20 + 40 + 2)
      #expect(result.scales == 0 && result.codes == 0, "\(id) \(result)")
      #expect(result.distance <= 4, "\(id) \(result)")
    }
  }

  // MARK: - DeepSeek

  @Test("FP8 with E8M0 scales has the codes, scales and values of DeepSeek's casts")
  func deepSeek() throws {
    for id in ["fp8_e4m3_1x128_ue8m0", "fp8_e4m3_128x128_ue8m0"] {
      let format = try FormatCatalog.format(id: id)
      let vectors = try load("ue8m0/" + id)
      #expect(vectors.cases.count == 4)
      for vector in vectors.cases {
        let values = try #require(vector.input).values
        let tensor = Tensor(values, shape: [vector.rows, vector.columns]).quantized(to: format)
        #expect(tensor["scales"].unpacked() == vector.fields["scales"]?.patterns, "\(vector.name)")
        #expect(tensor["codes"].unpacked() == vector.fields["codes"]?.patterns, "\(vector.name)")
        #expect(
          tensor.dequantized().elements.map(\.bitPattern) == vector.decoded.bitPatterns,
          "\(vector.name)")
      }
    }
  }

  // MARK: - Overflow-aware scaling

  @Test("MXFP4 below macro block scales has the values of the published emulation, in BF16")
  func overflowAware() throws {
    let vectors = try load("overflow_aware/mxfp4_oas_mbs")
    let format = MacroBlockFormat.mxfp4MacroBlocks
    #expect(vectors.cases.count == 5)
    for vector in vectors.cases {
      let values = try #require(vector.input).values
      let policy = format.policy { $0.rounding = .toNearestOrAway }
      let decoded = Tensor(values, shape: [vector.rows, vector.columns])
        .fakeQuantized(to: format, policy: policy).tensor
      let halves = decoded.fakeQuantized(to: .bf16).tensor.elements
      // The tool has no -0.
      let wrong = halves.indices.filter { halves[$0] != vector.decoded.values[$0] }
      #expect(
        wrong.isEmpty,
        "\(vector.name): \(wrong.prefix(3).map { "\(values[$0]) is \(halves[$0]), not \(vector.decoded.values[$0])" })"
      )
    }
  }
}
