import FormatTestSupport

@testable import QuantizedCheckpoints

/// A file of a producer: what it is, and what its own code decodes it to.
struct ProducerFile: CustomStringConvertible, Sendable {
  /// The path below the folder of vectors.
  let name: String
  let dialect: Dialect
  let format: String
  /// The name of the preset that encodes so; nil where this module writes other bytes.
  let preset: String?
  let tensor: String
  let shape: [Int]
  /// Whether the producer rounds its values to BF16.
  let isRounded: Bool

  init(
    _ name: String, _ dialect: Dialect, _ format: String, _ preset: String?, _ tensor: String,
    shape: [Int] = [4, 64], isRounded: Bool = false
  ) {
    (self.name, self.dialect, self.format, self.preset) = (name, dialect, format, preset)
    (self.tensor, self.shape, self.isRounded) = (tensor, shape, isRounded)
  }

  var description: String { name }

  var path: String {
    get throws { try VectorFile.path(of: "checkpoints/" + name) }
  }

  /// Where the producer's own values are.
  var valuesPath: String {
    get throws {
      let path = try path
      for ending in [".safetensors", ".gguf"] where path.hasSuffix(ending) {
        return path.dropLast(ending.count) + ".dequantized.npy"
      }
      return path + "/dequantized.npy"
    }
  }

  private static let proj = "model.layers.0.proj.weight"

  static let all: [ProducerFile] = [
    ProducerFile("mlx/affine4_g64.safetensors", .mlx, "affine4", "affine4", "layer.weight"),
    ProducerFile("mlx/affine8_g64.safetensors", .mlx, "affine8", "affine8", "layer.weight"),
    ProducerFile("mlx/mxfp4.safetensors", .mlx, "mxfp4", "mxfp4", "layer.weight"),
    ProducerFile("mlx/mxfp8.safetensors", .mlx, "mxfp8_e4m3", "mxfp8", "layer.weight"),
    ProducerFile(
      "mlx/nvfp4.safetensors", .mlx, "scaled(element=e2m1fn,block=16,scale=e4m3fn)", "nvfp4",
      "layer.weight"),
    ProducerFile("mlx/nvfp4_global.safetensors", .mlx, "nvfp4", "nvfp4_global", "layer.weight"),
    ProducerFile(
      "torchao/mxfp4_floor.safetensors", .torchao, "mxfp4", "mxfp4_floor", "proj.weight"),
    ProducerFile(
      "torchao/mxfp4_rceil.safetensors", .torchao, "mxfp4", "mxfp4_rceil", "proj.weight"),
    ProducerFile(
      "torchao/mxfp6_e2m3_floor.safetensors", .torchao, "mxfp6_e2m3", "mxfp6_e2m3_floor",
      "proj.weight"),
    ProducerFile(
      "torchao/mxfp8_e4m3_floor.safetensors", .torchao, "mxfp8_e4m3", "mxfp8_e4m3_floor",
      "proj.weight"),
    ProducerFile(
      "torchao/mxfp8_e4m3_rceil.safetensors", .torchao, "mxfp8_e4m3", "mxfp8_e4m3_rceil",
      "proj.weight"),
    ProducerFile("torchao/nvfp4.safetensors", .torchao, "nvfp4", "nvfp4", "proj.weight"),
    // ModelOpt stores a scale of activations besides.
    ProducerFile("modelopt/fp8.safetensors", .modelOpt, "fp8_e4m3_tensor", nil, proj),
    ProducerFile("modelopt/mxfp4.safetensors", .modelOpt, "mxfp4", "mxfp4", proj),
    ProducerFile("modelopt/mxfp8.safetensors", .modelOpt, "mxfp8_e4m3", "mxfp8", proj),
    ProducerFile("modelopt/nvfp4.safetensors", .modelOpt, "nvfp4", "nvfp4", proj),
    // Without a configuration, these are as ModelOpt writes them.
    ProducerFile("quark/mxfp4.safetensors", .modelOpt, "mxfp4", nil, "proj.weight"),
    ProducerFile("quark/mxfp6_e2m3.safetensors", .quark, "mxfp6_e2m3", "mxfp6_e2m3", "proj.weight"),
    // The producer writes its JSON with other keys.
    ProducerFile("bitsandbytes/nf4.safetensors", .bitsandbytes, "nf4", "nf4", "proj.weight"),
    ProducerFile("compressed-tensors/fp8", .compressedTensors, "fp8_e4m3_tensor", "fp8", proj),
    // One scale of two extents for less than a block.
    ProducerFile("compressed-tensors/fp8_block", .compressedTensors, "fp8_e4m3_tensor", nil, proj),
    ProducerFile(
      "compressed-tensors/fp8_dynamic", .compressedTensors, "fp8_e4m3_row", "fp8_channel", proj),
    ProducerFile("compressed-tensors/mxfp4a16", .compressedTensors, "mxfp4", "mxfp4", proj),
    ProducerFile("compressed-tensors/mxfp8a16", .compressedTensors, "mxfp8_e4m3", "mxfp8", proj),
    ProducerFile(
      "compressed-tensors/nvfp4a16", .compressedTensors, "nvfp4", "nvfp4", proj, isRounded: true),
    ProducerFile(
      "compressed-tensors/w4a16_g32", .compressedTensors,
      "scaled(element=int4_full,block=32,scale=fp32)", "w4a16_g32", proj),
    ProducerFile(
      "gpt-oss/mxfp4", .gptOSS, "mxfp4", nil, "model.layers.0.mlp.experts.gate_up_proj",
      shape: [2, 64, 2]),
    ProducerFile("gguf-py/MXFP4.gguf", .ggml, "mxfp4", "mxfp4", "tiny4x64.weight"),
    ProducerFile("gguf-py/Q4_0.gguf", .ggml, "q4_0", "q4_0", "tiny4x64.weight"),
    ProducerFile("gguf-py/Q4_1.gguf", .ggml, "q4_1", "q4_1", "tiny4x64.weight"),
    ProducerFile("gguf-py/Q5_0.gguf", .ggml, "q5_0", "q5_0", "tiny4x64.weight"),
    ProducerFile("gguf-py/Q8_0.gguf", .ggml, "q8_0", "q8_0", "tiny4x64.weight"),
    ProducerFile("ggml-c/NVFP4.gguf", .ggml, "nvfp4_ggml", "nvfp4", "tiny4x64.weight"),
    ProducerFile("ggml-c/Q4_K.gguf", .ggml, "q4_k", nil, "normal64x256.weight", shape: [2, 256]),
    ProducerFile("ggml-c/Q6_K.gguf", .ggml, "q6_k", nil, "normal64x256.weight", shape: [2, 256]),
  ]
}
