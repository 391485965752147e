/// What holds the tensors of a checkpoint.
public enum Container: String, CaseIterable, Sendable {
  /// One safetensors file.
  case safetensors
  /// A folder of safetensors files.
  case shards = "safetensors shards"
  /// One GGUF file, or the parts of a split one.
  case gguf
  /// One array of NumPy.
  case npy
  /// An archive of NumPy's arrays.
  case npz
}
