internal import BlockFormats
internal import TensorFiles
internal import UntrustedText

/// The open files of a checkpoint: its stored tensors, with what is said beside them.
struct CheckpointFiles: Sendable {
  /// The path as the caller gave it.
  let path: String
  /// What holds the tensors.
  let container: Container
  /// The paths of the files that hold tensors, in the order of their names.
  let filePaths: [String]
  /// The tensors, file by file and in each in the order of their bytes.
  let stored: [StoredTensor]
  private let metadata: [ExactText: [String: String]]
  /// The JSON beside the files.
  let configuration: ModelConfiguration
  /// The keys and values of GGUF; nil for other containers.
  let gguf: GGUFMetadata?
  private let safetensors: [SafetensorsFile]

  /// The open safetensors file of a path.
  func safetensors(at path: String) -> SafetensorsFile? {
    let path = ExactText(path)
    return safetensors.first { ExactText($0.path) == path }
  }

  /// The free-form text of a file.
  func metadata(of path: String) -> [String: String] { metadata[ExactText(path)] ?? [:] }

  /// Opens a file or a folder and reads the headers alone.
  ///
  /// - Throws: what the readers of its files throw; `.folder` for a folder without a checkpoint, or whose
  ///   index is stale; `.tensor` for a tensor that is stored twice, or whose shape is not possible.
  init(path: String) throws(ModelCheckpointError) {
    if Folder.exists(at: path) {
      try self.init(folder: Folder(path), path: path)
    } else if path.hasSuffix(".safetensors.index.json") {
      try self.init(index: ShardIndex(path: path), in: Folder(of: path), path: path)
    } else {
      try self.init(file: path)
    }
  }

  private init(folder: Folder, path: String) throws(ModelCheckpointError) {
    if folder.holdsFile(ShardIndex.name) {
      let index = try ShardIndex(path: folder.path(of: ShardIndex.name))
      try self.init(index: index, in: folder, path: path)
      return
    }
    let names = try folder.names().filter(folder.holdsFile)
    let files = names.filter { $0.hasSuffix(".safetensors") }
    if files.isEmpty, let model = Self.onlyGGUF(among: names) {
      try self.init(gguf: folder.path(of: model))
      return
    }
    guard !files.isEmpty else {
      throw .folder(
        path: path,
        reason: "holds no safetensors file and not one model in GGUF, and no \(ShardIndex.name)")
    }
    // Without an index, a file of the usual name is the model, whatever else lies beside it.
    let chosen = files.contains("model.safetensors") ? ["model.safetensors"] : files
    try self.init(safetensors: chosen.map(folder.path(of:)), folder: folder, path: path, .shards)
  }

  /// The one model in GGUF of a folder: a file, or the first part of a split one.
  private static func onlyGGUF(among names: [String]) -> String? {
    let files = names.filter { $0.hasSuffix(".gguf") }
    let first = files.filter { $0.contains("-00001-of-") }
    return files.count == 1 ? files[0] : first.count == 1 ? first[0] : nil
  }

  private init(index: ShardIndex, in folder: Folder, path: String) throws(ModelCheckpointError) {
    try self.init(
      safetensors: index.fileNames.map(folder.path(of:)), folder: folder, path: path, .shards)
    // An index that says otherwise than the files is one of other files.
    var found: Set<ExactText> = []
    for tensor in stored {
      let name = ExactText(tensor.name)
      found.insert(name)
      guard let file = index.files[name],
        ExactText(folder.path(of: file)) == ExactText(tensor.path)
      else {
        throw .folder(
          path: index.path,
          reason:
            "is stale: tensor '\(printable(tensor.name))' of \(tensor.path) is not where it says"
        )
      }
    }
    if let missing = index.files.keys.filter({ !found.contains($0) })
      .min(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) })
    {
      throw .folder(
        path: index.path,
        reason:
          "is stale: tensor '\(printable(missing.text))' is not in \(index.files[missing] ?? "")")
    }
  }

  private init(
    safetensors paths: [String], folder: Folder, path: String, _ container: Container
  ) throws(ModelCheckpointError) {
    var files: [SafetensorsFile] = []
    for path in paths {
      files.append(
        try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
          try SafetensorsFile(path: path)
        })
    }
    try self.init(files, configuration: ModelConfiguration(folder: folder), path: path, container)
  }

  private init(
    _ files: [SafetensorsFile], configuration: ModelConfiguration, path: String,
    _ container: Container
  ) throws(ModelCheckpointError) {
    try self.init(
      path: path, container: container, filePaths: files.map(\.path),
      stored: files.flatMap { file in file.tensors.map { StoredTensor($0, of: file) } },
      metadata: Dictionary(
        uniqueKeysWithValues: files.map { (ExactText($0.path), $0.metadata) }),
      configuration: configuration, safetensors: files)
  }

  private init(file path: String) throws(ModelCheckpointError) {
    if path.lowercased().hasSuffix(".gguf") {
      try self.init(gguf: path)
      return
    }
    let file = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try TensorFile(path: path)
    }
    if let safetensors = file.safetensors {
      try self.init(
        [safetensors], configuration: ModelConfiguration(folder: Folder(of: path)), path: path,
        .safetensors)
      return
    }
    try self.init(
      path: path, container: file.hasNames ? .npz : .npy, filePaths: [path],
      stored: file.tensors.map { StoredTensor($0, of: file) }, metadata: [:],
      configuration: .absent)
  }

  private init(gguf path: String) throws(ModelCheckpointError) {
    let model = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try GGUFModel(path: path)
    }
    try self.init(
      path: path, container: .gguf, filePaths: model.parts.map(\.path),
      stored: model.tensors.map { StoredTensor($0.info, of: model.parts[$0.part]) },
      metadata: [:], configuration: .absent, gguf: model.metadata)
  }

  private init(
    path: String, container: Container, filePaths: [String], stored: [StoredTensor],
    metadata: [ExactText: [String: String]], configuration: ModelConfiguration,
    safetensors: [SafetensorsFile] = [], gguf: GGUFMetadata? = nil
  ) throws(ModelCheckpointError) {
    var names: Set<ExactText> = []
    for tensor in stored {
      guard names.insert(ExactText(tensor.name)).inserted else {
        throw .tensor(path: tensor.path, name: tensor.name, reason: "is in another file, too")
      }
      // Only safetensors has no tensor of the name, as its headers have text there.
      guard tensor.name != "__metadata__" else {
        throw .tensor(path: tensor.path, name: tensor.name, reason: "has a name that is reserved")
      }
      // Behind a zero, files may tell extents of any size, which nothing here could multiply.
      guard Tensor.isValid(shape: tensor.shape) else {
        throw .tensor(
          path: tensor.path, name: tensor.name, reason: "shape \(tensor.shape) is not possible")
      }
    }
    self.path = path
    self.container = container
    self.filePaths = filePaths
    self.stored = stored
    self.metadata = metadata
    self.configuration = configuration
    self.safetensors = safetensors
    self.gguf = gguf
  }
}

extension StoredTensor {
  fileprivate init(_ tensor: TensorInfo, of file: SafetensorsFile) {
    self.init(
      name: tensor.name, type: .plain(tensor.dtype), shape: tensor.shape,
      elementCount: tensor.elementCount, byteCount: tensor.byteRange.count,
      source: .file(file.file, start: tensor.byteRange.lowerBound))
  }

  fileprivate init(_ tensor: GGUFTensorInfo, of file: GGUFFile) {
    self.init(
      name: tensor.name, type: .ggml(tensor.type), shape: tensor.shape,
      elementCount: tensor.elementCount, byteCount: tensor.byteRange.count,
      source: .file(file.file, start: tensor.byteRange.lowerBound))
  }

  fileprivate init(_ tensor: TensorInfo, of file: TensorFile) {
    self.init(
      name: tensor.name, type: .plain(tensor.dtype), shape: tensor.shape,
      elementCount: tensor.elementCount, byteCount: tensor.byteRange.count,
      source: .array(file, tensor))
  }
}
