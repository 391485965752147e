import BlockFormats
import FormatTestSupport
import TensorFiles
import Testing

@testable import QuantizedCheckpoints

@Suite("Files of producers")
struct ProducerFileTests {
  @Test("Dialect, format, name and shape are recognised", arguments: ProducerFile.all)
  func recognised(_ file: ProducerFile) throws {
    let checkpoint = try ModelCheckpoint(path: file.path)
    #expect(checkpoint.inventory.findings == [])
    #expect(checkpoint.inventory.isComplete)
    let tensor = try #require(checkpoint.tensor(named: file.tensor))
    let storage = try #require(tensor.quantizedStorage)
    #expect(storage.dialect == file.dialect)
    #expect(storage.format.id == file.format)
    #expect(tensor.shape == file.shape)
    #expect(!tensor.reason.isEmpty)
    #expect(checkpoint.inventory.quantizedCount == 1)
  }

  @Test("Values are those of the producer's own decoder to the bit", arguments: ProducerFile.all)
  func values(_ file: ProducerFile) throws {
    let tensor = try #require(ModelCheckpoint(path: file.path).tensor(named: file.tensor))
    let found = try tensor.dequantized()
    let producers = try NpyFile(path: file.valuesPath)
    #expect(found.shape == producers.shape)
    // A second definition of BF16: the upper half, after half a unit and the last bit kept.
    let ours = found.elements.map { value in
      guard file.isRounded else { return value }
      let pattern = value.bitPattern
      return Float(bitPattern: (pattern &+ 0x7FFF &+ (pattern >> 16 & 1)) & 0xFFFF_0000)
    }
    let theirs = try producers.floats()
    #expect(found.elements.count == theirs.count)
    for (index, (own, other)) in zip(ours, theirs).enumerated() {
      // ModelOpt's decoder drops the sign of zeros.
      let isSame =
        file.dialect == .modelOpt && other == 0 ? own == 0 : own.bitPattern == other.bitPattern
      #expect(isSame, "element \(index): \(own) and \(other)")
    }
  }

  @Test(
    "The input quantized by the producer's preset is stored in the producer's bytes",
    arguments: ProducerFile.all.filter { $0.preset != nil })
  func stored(_ file: ProducerFile) throws {
    let folder = try TemporaryFolder()
    let input = try NpyFile(path: VectorFile.path(of: "checkpoints/input.npy"))
    let source = try folder.write(
      safetensors([Stored(file.tensor, input.shape, input.floats())]), as: "source.safetensors")
    let format = try file.dialect.format(named: #require(file.preset))
    let checkpoint = try ModelCheckpoint(path: source)
    let plan = try checkpoint.plan(QuantizationRequest(dialect: file.dialect, format: format))
    let target = folder[file.dialect == .ggml ? "target.gguf" : "target.safetensors"]
    try checkpoint.write(plan, to: target)
    var expected = try ModelCheckpoint(path: file.path).allBytes()
    var found = try ModelCheckpoint(path: target).allBytes()
    if file.dialect == .bitsandbytes {
      // JSON of the same facts in another order.
      for key in expected.keys where key.contains("quant_state") { expected[key] = nil }
      for key in found.keys where key.contains("quant_state") { found[key] = nil }
      #expect(expected.count == 3)
    }
    #expect(found == expected)
    #expect(plan.byteCount >= expected.values.reduce(0) { $0 + $1.count })
  }

  @Test("Scales in tiles are those in rows")
  func tiles() throws {
    let rows = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/torchao/nvfp4-normal64x256.safetensors"))
    let tiles = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/torchao/nvfp4_swizzled-normal64x256.safetensors"))
    let comparison = try rows.compared(to: tiles)
    #expect(comparison.verdict == .equivalent)
    #expect(comparison.tensors.map(\.differingCount) == [0])
    #expect(try rows.allValues() == tiles.allValues())
  }

  @Test("DeepSeek's and compressed-tensors' names of FP8 in tiles hold the same values")
  func deepSeek() throws {
    let codes = Stored("a.weight", "F8_E4M3", [130, 200], bitWidth: 8)
    let numbers: [Float] = [0.5, 0.25, 2, 3]
    let folder = try TemporaryFolder()
    func checkpoint(_ scale: String, _ configuration: String?) throws -> ModelCheckpoint {
      let name = "\(scale)\(configuration == nil ? "" : "-configured")"
      try folder.write(
        safetensors([codes, Stored(scale, [2, 2], numbers)]), as: "\(name)/model.safetensors")
      if let configuration { try folder.write(configuration, as: "\(name)/config.json") }
      return try ModelCheckpoint(path: folder[name])
    }
    let deepSeek = try checkpoint("a.weight_scale_inv", nil)
    let other = try checkpoint(
      "a.weight_scale", #"{"quantization_config":{"quant_method":"compressed-tensors"}}"#)
    #expect(deepSeek.first.quantizedStorage?.dialect == .deepSeek)
    #expect(other.first.quantizedStorage?.dialect == .compressedTensors)
    let values = try deepSeek.first.dequantized().elements
    #expect(try other.first.dequantized().elements.map(\.bitPattern) == values.map(\.bitPattern))
    for index in stride(from: 0, to: values.count, by: 7) {
      let (row, column) = (index / 200, index % 200)
      let code = ElementFormat.e4m3fn.value(of: UInt32(codes.bytes[index]))
      let expected = Float(code) * numbers[row / 128 * 2 + column / 128]
      #expect(values[index] == expected || values[index].isNaN && expected.isNaN)
    }
    // Four tiles of other extents are told by the configuration.
    let told = try checkpoint(
      "a.weight_scale_inv",
      #"{"quantization_config":{"quant_method":"fp8","weight_block_size":[65,100]}}"#)
    #expect(told.first.quantizedStorage?.format.layout.block == .tile(rows: 65, columns: 100))
  }

  @Test("Each type of tensors that are stored as they are is read by its values")
  func plain() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      safetensors([
        Stored("a", [2], [1.5, -2]), Stored("b", "BF16", [2], [0xC0, 0x3F, 0, 0xC0]),
        Stored("c", "F16", [2], [0, 0x3E, 0, 0xC0]),
        Stored("d", "F64", [1], [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
      ]), as: "a.safetensors")
    let checkpoint = try ModelCheckpoint(path: path)
    #expect(
      try checkpoint.allValues() == ["a": [1.5, -2], "b": [1.5, -2], "c": [1.5, -2], "d": [1.5]])
    #expect(checkpoint.inventory.plainCount == 4 && checkpoint.inventory.quantizedCount == 0)
  }
}
