import BlockFormats
import FormatTestSupport
import Testing

/// Small files of producers: values, what was stored, what the producer decodes it to.
private struct ProducerVectors: Decodable, Sendable {
  let header: VectorHeader
  let cases: [Case]

  struct Case: Decodable, Sendable {
    let producer: String
    /// The name of a preset, or the id of a format without choices.
    let preset: String
    let shape: [Int]
    let input: HexadecimalWords
    /// Codes, and FP32 numbers as bit patterns, by the name of the field.
    let fields: [String: HexadecimalWords]
    let decoded: HexadecimalWords
    /// `fp32`, or `bf16` where the producer rounds its values.
    let decoding: String
  }
}

@Suite("Presets of producers")
struct ProducerPresetTests {
  private static let vectors = Result {
    try VectorFile.load(ProducerVectors.self, from: "producers/presets.json")
  }

  @Test("Codes, scales and tensor scales are those of the producers' files")
  func encode() throws {
    let cases = try Self.vectors.get().cases
    #expect(cases.count >= 28)
    for vector in cases {
      let format = try #require(
        ProducerPreset.named(vector.producer, vector.preset)?.format,
        "\(vector.producer) \(vector.preset)")
      let values = vector.input.patterns.map { Float(bitPattern: $0) }
      let tensor = Tensor(values, shape: vector.shape).quantized(to: format)
      for (name, expected) in vector.fields {
        #expect(
          tensor[name].unpacked() == expected.patterns,
          "\(vector.producer) \(vector.preset) \(name)")
      }
    }
  }

  @Test("What is stored decodes to the producers' values, or to the value that they round twice")
  func decode() throws {
    for vector in try Self.vectors.get().cases {
      let format = try #require(ProducerPreset.named(vector.producer, vector.preset)?.format)
      let tensor = try QuantizedTensor(
        format: format, shape: vector.shape, codes: vector.fields.mapValues(\.patterns))
      let isTwoLevel = vector.fields["tensor_scale"] != nil
      for (ours, theirs) in zip(tensor.dequantized().elements, vector.decoded.patterns) {
        let expected = Float(bitPattern: theirs)
        let value =
          vector.decoding == "bf16"
          ? Float(ElementFormat.bf16.value(of: ElementFormat.bf16.code(for: Double(ours)))) : ours
        // Producers round the product of both scales, and then that with the element: half a unit in
        // the last place each, where the library's value is the exact product, rounded once.
        let isNear = isTwoLevel && abs(value - expected) <= expected.ulp
        #expect(value == expected || isNear, "\(vector.producer) \(vector.preset)")
      }
    }
  }

  @Test("Every preset is a format of the catalog with choices that its format follows")
  func presets() throws {
    let names = ProducerPreset.all.map { "\($0.producer) \($0.name)" }
    #expect(Set(names).count == names.count)
    for preset in ProducerPreset.all {
      let plain = try FormatCatalog.builtIn.format(id: preset.format.id)
      #expect(plain.isSame(as: preset.format), "\(preset.format.id)")
      var policy = plain.defaultPolicy
      for (aspect, id) in preset.choices {
        #expect(plain.follows(aspect), "\(preset.name): \(aspect.key)")
        #expect(aspect.choose(id, in: &policy, scaleRules: plain.scaleRules))
      }
      #expect(policy == preset.format.defaultPolicy, "\(preset.producer) \(preset.name)")
      #expect(ProducerPreset.producers(of: plain, under: policy).contains(preset.producer))
    }
    #expect(ProducerPreset.named("modelopt", "nvfp5") == nil)
  }

  @Test("A preset's choices are those that differ from the format's defaults, in order")
  func choices() throws {
    let preset = try #require(ProducerPreset.named("modelopt", "mxfp4"))
    #expect(preset.choices.map(\.aspect) == [.scaleRule, .rounding, .zeroSign])
    #expect(preset.choices.map(\.id) == ["rceil", "nearest_toward_zero", "negative_for_zero"])
    #expect(ProducerPreset.named("gpt-oss", "mxfp4")?.choices.isEmpty == true)
  }
}
