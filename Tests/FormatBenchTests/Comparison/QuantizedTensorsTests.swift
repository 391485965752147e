import CommandLineTestSupport
import CommandLineToolkit
import Foundation
import TensorFiles
import Testing

@testable import FormatBench

@Suite("Quantized files are not measured as data")
struct QuantizedTensorsTests {
  /// A tensor by its name and dtype; what it holds decides nothing.
  private static func tensor(_ name: String, _ dtype: TensorDType) -> TensorData {
    TensorData(
      name: name, dtype: dtype, shape: [8],
      bytes: [UInt8](repeating: 0, count: dtype.bitWidth))
  }

  /// What a producer writes for a weight: the codes, and what belongs to them.
  struct Producer: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var codes: [(String, TensorDType)]
    var scales: [(String, TensorDType)]
  }

  /// Names and dtypes as in files of the producers and in their documentation.
  static let producers = [
    Producer(
      testDescription: "mlx", codes: [("layer.weight", .u32)],
      scales: [("layer.scales", .f32), ("layer.biases", .bf16)]),
    Producer(
      testDescription: "mlx with a scale of the tensor", codes: [("layer.weight", .u32)],
      scales: [("layer.scales", .u8), ("layer.global_scale", .f32)]),
    Producer(
      testDescription: "torchao", codes: [("proj._weight_qdata", .u8)],
      scales: [("proj._weight_scale", .f8E4M3), ("proj._weight_per_tensor_scale", .f32)]),
    Producer(
      testDescription: "modelopt", codes: [("a.0.proj.weight", .u8)],
      scales: [
        ("a.0.proj.weight_scale", .f8E4M3), ("a.0.proj.weight_scale_2", .f32),
        ("a.0.proj.input_scale", .f32),
      ]),
    Producer(
      testDescription: "modelopt with a quantized cache", codes: [("attn.k_proj.weight", .f8E4M3)],
      scales: [("attn.k_proj.weight_scale", .f32), ("attn.k_proj.k_scale", .f32)]),
    Producer(
      testDescription: "vllm with a quantized cache", codes: [("attn.v_proj.weight", .f8E4M3)],
      scales: [("attn.v_proj.weight_scale", .f32), ("attn.v_scale", .f32)]),
    Producer(
      testDescription: "bitsandbytes, four bits", codes: [("proj.weight", .u8)],
      scales: [
        ("proj.weight.absmax", .f32), ("proj.weight.quant_map", .f32),
        ("proj.weight.nested_absmax", .f32), ("proj.weight.nested_quant_map", .f32),
        ("proj.weight.quant_state.bitsandbytes__nf4", .u8),
      ]),
    Producer(
      testDescription: "bitsandbytes, eight bits", codes: [("proj.weight", .i8)],
      scales: [("proj.SCB", .f32), ("proj.weight_format", .u8)]),
    Producer(
      testDescription: "compressed-tensors", codes: [("m.proj.weight_packed", .u8)],
      scales: [("m.proj.weight_scale", .f8E4M3), ("m.proj.weight_global_scale", .f32)]),
    Producer(
      testDescription: "compressed-tensors, integers", codes: [("m.proj.weight_packed", .i32)],
      scales: [
        ("m.proj.weight_scale", .bf16), ("m.proj.weight_shape", .i64),
        ("m.proj.weight_zero_point", .i32), ("m.proj.weight_g_idx", .i32),
      ]),
    Producer(
      testDescription: "deepseek", codes: [("m.proj.weight", .f8E4M3)],
      scales: [("m.proj.weight_scale_inv", .f32)]),
    Producer(
      testDescription: "gpt-oss", codes: [("experts.gate_up_proj_blocks", .u8)],
      scales: [("experts.gate_up_proj_scales", .u8)]),
    Producer(
      testDescription: "gptq and awq", codes: [("m.proj.qweight", .i32)],
      scales: [("m.proj.scales", .f16), ("m.proj.qzeros", .i32), ("m.proj.g_idx", .i32)]),
    Producer(
      testDescription: "fbgemm", codes: [("proj.weight", .f8E4M3)],
      scales: [("proj.weight_scale", .f32), ("proj.input_scale_ub", .f32)]),
    Producer(
      testDescription: "hqq", codes: [("proj.W_q", .u8)],
      scales: [("proj.scale", .f16), ("proj.zero", .f16)]),
    Producer(
      testDescription: "aqlm", codes: [("proj.codes", .i8)],
      scales: [("proj.codebooks", .f16), ("proj.scales", .f16)]),
    Producer(
      testDescription: "tensorrt-llm", codes: [("proj.weight", .i8)],
      scales: [
        ("proj.weights_scaling_factor", .f32), ("proj.activation_scaling_factor", .f32),
        ("proj.pre_quant_scale", .f16),
      ]),
    Producer(
      testDescription: "quanto", codes: [("proj.weight._data", .i8)],
      scales: [("proj.weight._scale", .bf16)]),
    Producer(
      testDescription: "comfyui", codes: [("proj.weight", .f8E4M3)],
      scales: [("proj.scale_weight", .f32), ("proj.scale_input", .f32)]),
    Producer(
      testDescription: "names without a module", codes: [("weight", .u8)],
      scales: [("weight_scale", .f32), ("scales", .f32)]),
  ]

  /// Tensors that are data whatever stands beside them.
  private static let data = [
    "proj.bias", "norm.weight", "norm.scale", "attn.logit_scale", "layer_scale", "embed.weight",
    "gate_up_proj_bias", "experts.gate_up_proj_bias", "scale_shift_table",
  ].map { tensor($0, .f32) }

  private func compare(_ paths: String...) throws -> (names: [String], stderr: String) {
    let result = runFmtbench(
      ["compare"] + paths + ["--formats", "bf16", "--rows", "all", "--json"])
    guard result.status == .done else { return ([], result.stderr) }
    let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    let rows = try #require((object as? [String: Any])?["rows"] as? [[String: Any]])
    return (rows.compactMap { $0["tensor"] as? String }.filter { $0 != "total" }, result.stderr)
  }

  @Test("Codes and scales as producers name them are skipped and counted", arguments: producers)
  func skipped(_ producer: Producer) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let quantized = (producer.codes + producer.scales).map { Self.tensor($0.0, $0.1) }
    try SafetensorsWriter.write(quantized + Self.data, to: path)
    let (names, stderr) = try compare(path)
    #expect(names.sorted() == Self.data.map(\.name).sorted())
    let count = producer.scales.count
    #expect(
      stderr == """
        fmtbench: warning: skipped 1 tensor that is quantized already, \(count) \
        tensor\(count == 1 ? "" : "s") of scales and the like beside them

        """)
    try SafetensorsWriter.write(quantized, to: path)
    let alone = try compare(path)
    #expect(alone.names.isEmpty && alone.stderr.contains("no tensor left to compare; skipped 1"))
  }

  @Test("Without codes, what is called a scale is data, unless it is one of a missing weight")
  func withoutCodes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let floats = ["proj.weight", "proj.weight_scale", "proj.scales", "k_scale", "x_scales"]
      .map { Self.tensor($0, .f32) }
    try SafetensorsWriter.write(floats, to: path)
    let (names, stderr) = try compare(path)
    #expect(names.sorted() == floats.map(\.name).sorted() && stderr.isEmpty)
    // A part of a model may hold the scales alone.
    try SafetensorsWriter.write(
      [Self.tensor("proj.weight_global_scale", .f32), Self.tensor("norm.weight", .f32)], to: path)
    let part = try compare(path)
    #expect(part.names == ["norm.weight"])
    #expect(part.stderr.contains("skipped 1 tensor of scales"))
  }

  @Test("Codes in one file and their scales in another of the same folder are one model")
  func parts() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [Self.tensor("proj.scales", .f16), Self.tensor("norm.weight", .f32)],
      to: folder.path("1.safetensors"))
    try SafetensorsWriter.write(
      [Self.tensor("proj.qweight", .i32)], to: folder.path("2.safetensors"))
    let (names, stderr) = try compare(folder.path("1.safetensors"), folder.path("2.safetensors"))
    #expect(names == [folder.path("1.safetensors") + ":norm.weight"])
    #expect(stderr.contains("skipped 1 tensor that is quantized already, 1 tensor of scales"))
  }

  @Test("What encode wrote is compared by its values, and said to be quantized already")
  func ownFiles() throws {
    let folder = try TemporaryFolder()
    try NpyWriter.write(
      floats: (0..<64).map(Float.init), shape: [2, 32], to: folder.path("a.npy"))
    for format in ["mxfp4", "nvfp4", "mx9", "int8_row"] {
      let path = folder.path(format)
      let encoded = runFmtbench(
        ["encode", folder.path("a.npy"), "--format", format, "--output", path])
      #expect(encoded.status == .done)
      let (names, stderr) = try compare(path)
      #expect(names == [format])
      #expect(stderr.contains("1 tensor was quantized already (\(format), fmtbench)"))
    }
  }

  @Test("Scales that a training run keeps are no weights")
  func trainingState() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("state.safetensors")
    try SafetensorsWriter.write(
      [
        Self.tensor("blocks.0.mlp.up.weight", .f32), Self.tensor("scaling.up.weight.output", .f32),
        TensorData(name: "counter.step", dtype: .i64, shape: [], bytes: [1, 0, 0, 0, 0, 0, 0, 0]),
      ], to: path)
    let (names, stderr) = try compare(path)
    #expect(names == ["blocks.0.mlp.up.weight"])
    #expect(stderr.contains("1 tensor of scales"))
  }

  @Test("A model that says it is quantized in an unknown way is said to be")
  func unknownMethod() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    try SafetensorsWriter.write(
      [Self.tensor("proj.indices", .i16), Self.tensor("proj.centroids", .f16)], to: path)
    #expect(
      try compare(path).stderr == "fmtbench: warning: skipped 1 tensor (1 I16) of other dtypes\n")
    func config(_ text: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path("config.json")))
    }
    try config(#"{"quantization_config": {"quant_method": "vptq"}}"#)
    let stderr = try compare(path).stderr
    #expect(stderr.contains("the model of \(path) is quantized (vptq) in a way not known here"))
    for text in ["", "[]", #"{"quantization_config": 1}"#, "{}"] {
      try config(text)
      #expect(try !compare(path).stderr.contains("quantized"))
    }
  }
}
