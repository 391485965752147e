/// Whose way of storing quantized tensors it is: names, layouts of bytes, and what a scale of the tensor says.
public enum Dialect: String, CaseIterable, Sendable {
  /// One array in this library's own layout, as `QuantizedTensor.write(to:)` stores it.
  case blockFormats = "fmtbench"
  case torchao
  case modelOpt = "modelopt"
  case compressedTensors = "compressed-tensors"
  case deepSeek = "deepseek"
  case gptOSS = "gpt-oss"
  case mlx
  case ggml
  case quark
  case bitsandbytes
}
