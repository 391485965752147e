import BlockFormats
import FormatTestSupport
import Foundation
import Testing

/// A file of vectors with the format that it is about.
struct FieldVectorFile: CustomTestStringConvertible, Sendable {
  let path: String
  let id: String
  /// The scale rule, where it is not the default one.
  var rule: String?
  /// Our names of the file's fields, where they differ.
  var names: [String: String] = [:]
  /// What the producer's bytes are called in the format's packing; none where the planes are the bytes.
  var packing: String?

  var testDescription: String { path }

  static let all: [FieldVectorFile] =
    [
      FieldVectorFile(
        path: "nf4/bitsandbytes", id: "nf4", names: ["absmax": "scales"], packing: "bitsandbytes"),
      FieldVectorFile(
        path: "fp4_bnb/bitsandbytes", id: "fp4_bnb", names: ["absmax": "scales"],
        packing: "bitsandbytes"),
      FieldVectorFile(path: "hif4/exact", id: "hif4", names: ["scale": "scales"], packing: "pto"),
    ]
    + ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "iq4_nl", "tq1_0", "tq2_0"].map {
      FieldVectorFile(
        path: "ggml/\($0)", id: $0, names: ["scale": "scales", "min": "mins"], packing: "ggml")
    }
    + [
      FieldVectorFile(
        path: "ggml/iq4_nl_ref", id: "iq4_nl", rule: GGMLRule.firstFactor.id,
        names: ["scale": "scales"], packing: "ggml")
    ]
    + ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"].map {
      FieldVectorFile(
        path: "ggml/\($0)", id: $0,
        names: [
          "scale": "block_scales", "min": "block_mins", "subscales": "scales", "submins": "mins",
        ], packing: "ggml")
    }
    + [2, 3, 4, 5, 6, 8].map { affine($0, group: 64) } + [
      affine(4, group: 32), affine(4, group: 128),
    ]

  private static func affine(_ bits: Int, group: Int) -> FieldVectorFile {
    FieldVectorFile(
      path: "affine/mlx_affine\(bits)_g\(group)", id: "affine\(bits)(group=\(group))",
      names: ["scale": "scales", "bias": "biases"])
  }

  func load() throws -> FieldVectors {
    try VectorFile.load(FieldVectors.self, from: path + ".json")
  }

  /// The format, with the rule as its default.
  func format() throws -> any BlockFormat {
    let format = try FormatCatalog.format(id: id)
    guard let rule, let composed = format as? any ComposedFormat else { return format }
    let chosen = try #require(composed.scaleRules.first { $0.id == rule })
    return composed.with { $0.scaleRule = chosen }
  }

  /// The codes of a case by our names.
  func codes(_ vectors: FieldVectors.Case) -> [String: [UInt32]] {
    Dictionary(
      uniqueKeysWithValues: vectors.fields.map { (names[$0.key] ?? $0.key, $0.value.patterns) })
  }
}

@Suite("Formats of several fields against vectors of their producers")
struct FieldVectorTests {
  @Test("Every field of every finite case has the producer's bits", arguments: FieldVectorFile.all)
  func encode(file: FieldVectorFile) throws {
    let (vectors, format) = (try file.load(), try file.format())
    #expect(vectors.cases.count >= 3)
    for vector in vectors.cases {
      let values = try #require(vector.input).values
      let tensor = Tensor(values, shape: [vector.rows, vector.columns]).quantized(to: format)
      for (name, expected) in file.codes(vector) {
        #expect(tensor[name].unpacked() == expected, "\(vector.name): \(name)")
      }
      expectDecoded(tensor, vector)
    }
  }

  @Test("Stored fields decode to the producer's values", arguments: FieldVectorFile.all)
  func decode(file: FieldVectorFile) throws {
    let (vectors, format) = (try file.load(), try file.format())
    for vector in vectors.cases + (vectors.decodeOnly ?? []) {
      expectDecoded(try tensor(format, vector, file), vector)
    }
  }

  @Test(
    "The producer's bytes are a packing of the same fields, both ways",
    arguments: FieldVectorFile.all.filter { $0.packing != nil })
  func packings(file: FieldVectorFile) throws {
    let (vectors, format) = (try file.load(), try file.format())
    let packing = try #require(format.packings.first { $0.name == file.packing })
    for vector in vectors.cases + (vectors.decodeOnly ?? []) {
      let tensor = try tensor(format, vector, file)
      let bytes = packing.streams.map { vector.packed[$0.name]?.bytes ?? [] }
      // Of a byte with five trits, ggml reads more patterns than it writes.
      if file.id != "tq1_0" || vector.input != nil {
        #expect(tensor.packed(as: packing) == bytes, "\(vector.name)")
      }
      let again = try QuantizedTensor(
        format: format, shape: tensor.shape, packing: packing, streams: bytes)
      #expect(again.planes == tensor.planes, "\(vector.name)")
    }
  }

  @Test("Cases beyond the numbers of a producer decode finite, and NaN stays a NaN")
  func outside() throws {
    for file in FieldVectorFile.all {
      let (vectors, format) = (try file.load(), try file.format())
      for vector in vectors.outside ?? [] {
        guard let values = vector.input?.values else { continue }
        let decoded = Tensor(values, shape: [vector.rows, vector.columns])
          .fakeQuantized(to: format).tensor.elements
        for (value, result) in zip(values, decoded) where value.isNaN {
          #expect(result.isNaN, "\(file.id) \(vector.name)")
        }
        if values.allSatisfy(\.isFinite) {
          let isFinite = decoded.allSatisfy(\.isFinite)
          #expect(isFinite, "\(file.id) \(vector.name)")
        }
      }
    }
  }

  private func tensor(
    _ format: some BlockFormat, _ vector: FieldVectors.Case, _ file: FieldVectorFile
  ) throws -> QuantizedTensor {
    try QuantizedTensor(
      format: format, shape: [vector.rows, vector.columns], codes: file.codes(vector))
  }

  private func expectDecoded(_ tensor: QuantizedTensor, _ vector: FieldVectors.Case) {
    let decoded = tensor.dequantized().elements.map(\.bitPattern)
    let expected = vector.decoded.bitPatterns
    let index = decoded.indices.first { decoded[$0] != expected[$0] }
    #expect(
      index == nil,
      "\(vector.name): value \(index ?? 0) is \(index.map { decoded[$0] } ?? 0), not \(index.map { expected[$0] } ?? 0)"
    )
  }
}
