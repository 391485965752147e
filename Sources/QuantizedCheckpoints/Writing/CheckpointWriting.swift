internal import BlockFormats
public import TensorFiles
internal import UntrustedText

extension ModelCheckpoint {
  /// Writes tensors, with what the loaders of a dialect need to be told.
  ///
  /// - Parameters:
  ///   - work: what makes two runs the same work.
  func write(
    _ tensors: [OutputTensor], _ report: DialectReport, to path: String, keys: GGUFMetadata?,
    work: String, folder: FolderWork = FolderWork(), progress: (WritingProgress) -> Void
  ) throws(ModelCheckpointError) {
    let isGGUF = CheckpointOutput.isGGUF(path)
    guard isGGUF == (report.dialect == .ggml) else {
      throw .request(
        path: path,
        reason: "the dialect ggml is written to names that end in .gguf, and no other one is")
    }
    var names: Set<ExactText> = []
    for part in tensors.lazy.flatMap(\.parts) {
      guard (isGGUF ? part.type.ggml != nil : part.type.dtype != nil) else {
        throw .tensor(
          path: path, name: part.name,
          reason: isGGUF
            ? "GGUF has no type for \(part.type)" : "\(part.type) is a type of GGUF alone")
      }
      guard !isGGUF || part.shape.count <= 4 else {
        throw .tensor(
          path: path, name: part.name,
          reason: "has \(part.shape.count) extents, of which GGUF has at most 4")
      }
      guard names.insert(ExactText(part.name)).inserted else {
        throw .tensor(path: path, name: part.name, reason: "two tensors would have this name")
      }
    }
    var output = CheckpointOutput(
      path: path, tensors: tensors,
      fingerprint: fingerprint("\(work)\nfiles of \(folder.fileByteLimit)"))
    output.metadata = report.metadata
    if report.dialect == .mlx { output.style = .mlx }
    if isGGUF { output.gguf = (keys ?? files.gguf ?? GGUFMetadata()).ofOneFile }
    output.work = folder
    if CheckpointOutput.isFile(path) {
      guard folder.share == .all else {
        throw .request(path: path, reason: "is one file, of which workers cannot have shares")
      }
    } else {
      output.documents =
        try documents(configuration: configuration(of: report)) + report.documents
    }
    try output.write(progress)
  }

  /// The keys and values of a checkpoint in GGUF; nil for one in other files.
  public var ggufMetadata: GGUFMetadata? { files.gguf }
}

extension GGUFMetadata {
  /// The keys and values without those of a split model.
  fileprivate var ofOneFile: GGUFMetadata {
    var metadata = self
    for key in ["split.no", "split.count", "split.tensors.count"] { metadata.remove(key) }
    if metadata["general.quantization_version"] == nil {
      metadata.set("general.quantization_version", .uint32(2))
    }
    return metadata
  }
}

extension QuantizationPlan {
  /// The text in which two plans differ that do other work.
  var description: String {
    let lines = decisions.map { decision in
      "\(decision.tensor.name)=\(decision.form.map { Self.text(of: $0.format) } ?? "-")"
    }
    return "quantize dialect=\(request.dialect.rawValue)\n" + lines.joined(separator: "\n")
  }

  private static func text(of format: any BlockFormat) -> String {
    let choices = PolicyAspect.allCases.map { $0.chosen(in: format.defaultPolicy).id }
    return ([format.id] + choices).joined(separator: " ")
  }
}
