package import TensorFiles
internal import UntrustedText

/// The tensors of a model in one or more files, whatever producer wrote them.
///
/// Opening reads headers and configurations alone:
///
/// ```swift
/// let checkpoint = try ModelCheckpoint(path: "model")
/// for tensor in checkpoint.tensors {
///   print(tensor.name, tensor.shape, tensor.quantizedStorage?.format.id ?? "values")
/// }
/// let weight = try checkpoint.tensor(named: "model.layers.0.mlp.up_proj.weight")?.dequantized()
/// ```
public struct ModelCheckpoint: Sendable {
  /// The path as the caller gave it.
  public var path: String { files.path }
  /// What holds the tensors.
  public var container: Container { files.container }
  /// The tensors in the order of their files and bytes.
  public let tensors: [CheckpointTensor]
  /// What the tensors are, in numbers.
  public let inventory: Inventory

  let files: CheckpointFiles
  private let indices: [ExactText: Int]

  /// Opens a file or a folder.
  ///
  /// A folder holds safetensors files, with an index or without. Beside them, `config.json` and
  /// `hf_quant_config.json` tell of the quantization.
  ///
  /// - Throws: `ModelCheckpointError` with the first cause found.
  public init(path: String) throws(ModelCheckpointError) {
    let files = try CheckpointFiles(path: path)
    let recognition = try Recognition(files)
    try self.init(
      files, tensors: recognition.found.map(\.tensor), findings: recognition.findings)
  }

  /// A checkpoint with its tensors under other names.
  init(_ other: ModelCheckpoint, tensors: [CheckpointTensor]) throws(ModelCheckpointError) {
    try self.init(other.files, tensors: tensors, findings: other.inventory.findings)
  }

  private init(
    _ files: CheckpointFiles, tensors: [CheckpointTensor], findings: [Inventory.Finding]
  ) throws(ModelCheckpointError) {
    self.files = files
    self.tensors = tensors
    let quantized = tensors.count { $0.quantizedStorage != nil }
    inventory = Inventory(
      quantizedCount: quantized, plainCount: tensors.count - quantized,
      findings: findings)
    var indices: [ExactText: Int] = [:]
    for (index, tensor) in tensors.enumerated() {
      guard indices.updateValue(index, forKey: ExactText(tensor.name)) == nil else {
        throw .tensor(path: files.path, name: tensor.name, reason: "is stored in two ways")
      }
    }
    self.indices = indices
  }

  /// The tensor of a name; nil where there is none.
  public func tensor(named name: String) -> CheckpointTensor? {
    indices[ExactText(name)].map { tensors[$0] }
  }

  /// The paths of the files that hold tensors.
  public var filePaths: [String] { files.filePaths }

  /// Whether a path names a folder or a GGUF file, which are read as checkpoints alone.
  package static func isFolderOrGGUF(_ path: String) -> Bool {
    Folder.exists(at: path) || path.lowercased().hasSuffix(".gguf")
  }

  /// Whether a path leads to a file that can be read more than once.
  package static func isRegularFile(_ path: String) -> Bool {
    let folder = Folder(of: path)
    return folder.holdsFile(String(path.split(separator: "/").last ?? ""))
  }
}

extension CheckpointTensor {
  /// The dtype of values that are read as floating point; nil for codes and for anything else.
  package var valueDType: TensorDType? {
    guard case .plain(let stored) = contents, stored.type.floatEncoding != nil else { return nil }
    return stored.type.dtype
  }
}
