public import BlockFormats
internal import StrictJSON
internal import TensorFiles
internal import UntrustedText

/// The type that values are written in.
public enum ValueType: String, CaseIterable, Sendable {
  case f32
  case bf16
  case f16

  /// The type in safetensors files.
  var dtype: TensorDType {
    switch self {
    case .f32: .f32
    case .bf16: .bf16
    case .f16: .f16
    }
  }

  /// Values in this type, little-endian: rounded to nearest even, beyond the largest to infinity.
  func bytes(of values: [Float], parallelism: Parallelism) -> [UInt8] {
    let element: ElementFormat
    switch self {
    case .f32:
      return values.withUnsafeBytes { Array($0) }
    case .bf16: element = .bf16
    case .f16: element = .fp16
    }
    let format = CastFormat.cast(to: element)
    var policy = format.defaultPolicy
    policy.overflow = .special
    return Tensor(values).quantized(to: format, policy: policy, parallelism: parallelism)
      .planes[0].bytes
  }
}

extension ModelCheckpoint {
  /// Writes the values of all tensors, under the names and shapes that a program sees.
  ///
  /// Quantized tensors become FP32, computed as their producer computes; others keep their type and bytes.
  ///
  /// - Parameters:
  ///   - path: a name that ends in `.safetensors` is one file, also for a model in several; any other is
  ///     a folder, with an index where it holds several files, and with the configuration less what it
  ///     says of quantization.
  ///   - type: the type of all values; rounded to it once, at the end. FP16 has infinities for what is
  ///     beyond 65504. If `nil`, FP32 for quantized tensors and their own for others.
  ///   - parallelism: how many threads may work.
  ///   - progress: is told of every tensor.
  /// - Throws: what reading and writing throw. A file is then as it was; a folder's beginning is kept
  ///   under the name with `.partial`, and the next call goes on.
  public func writeValues(
    to path: String, as type: ValueType? = nil, parallelism: Parallelism = .allCores,
    progress: (WritingProgress) -> Void = { _ in }
  ) throws(ModelCheckpointError) {
    try requireComplete()
    if path.hasSuffix(".npy") {
      try writeArray(to: path, as: type, parallelism: parallelism)
      return
    }
    guard !CheckpointOutput.isGGUF(path) else {
      throw .request(path: path, reason: "values are written to safetensors, npy or a folder")
    }
    var output = CheckpointOutput(
      path: path,
      tensors: tensors.map { $0.output(as: type, parallelism: parallelism) },
      fingerprint: fingerprint("dequantize type=\(type?.rawValue ?? "kept")"))
    output.metadata = ["format": "pt"]
    if !CheckpointOutput.isFile(path) {
      output.documents = try documents(configuration: configurationWithoutQuantization)
    }
    try output.write(progress)
  }

  /// Writes the only tensor as an array of NumPy.
  private func writeArray(
    to path: String, as type: ValueType?, parallelism: Parallelism
  ) throws(ModelCheckpointError) {
    guard tensors.count == 1 else {
      throw .request(
        path: path, reason: "an npy file holds one array, and \(self.path) has \(tensors.count)")
    }
    guard type == nil || type == .f32 else {
      throw .request(path: path, reason: "npy files are written as F32 alone")
    }
    let values = try tensors[0].dequantized(parallelism: parallelism)
    try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try NpyWriter.write(floats: values.elements, shape: values.shape, to: path)
    }
  }

  /// Refuses a checkpoint with codes that nothing decodes, of which values cannot be written.
  func requireComplete() throws(ModelCheckpointError) {
    guard let finding = inventory.findings.first else { return }
    throw .tensor(path: path, name: finding.name, reason: finding.reason)
  }

  /// A text that two runs have alike only if they do the same work on the same files.
  func fingerprint(_ work: String) -> String {
    let files = filePaths.map { path in
      JSONValue.object([
        .init("path", .string(path)), .init("bytes", JSONValue(Folder.fileSize(at: path) ?? 0)),
        .init("changed", JSONValue(Folder.changeTime(of: path) ?? 0)),
      ])
    }
    return JSONValue.object([
      .init("version", JSONValue(1)), .init("work", .string(work)), .init("files", .array(files)),
    ]).text(.indented(), escaping: .controls) + "\n"
  }

  /// The configuration of the model, less what it says of quantization.
  var configurationWithoutQuantization: JSONValue? {
    guard case .object(let members)? = files.configuration.config else { return nil }
    return .object(
      members.filter { $0.key != "quantization_config" && $0.key != "quantization" })
  }

  /// The files beside those of tensors that a folder of the same model needs.
  ///
  /// - Parameter configuration: what `config.json` will be.
  func documents(
    configuration: JSONValue?
  ) throws(ModelCheckpointError) -> [CheckpointOutput.Document] {
    var documents: [CheckpointOutput.Document] = []
    if let configuration {
      documents.append(
        .text(
          name: "config.json",
          contents: configuration.text(.indented(), escaping: .controls) + "\n"))
    }
    guard container == .shards else { return documents }
    let folder = Folder(Folder.exists(at: path) ? path : Folder(of: path).path)
    for name in try folder.names() where folder.holdsFile(name) && Self.accompanies(name) {
      documents.append(.copy(name: name, of: folder.path(of: name)))
    }
    return documents
  }

  /// Whether a file of a model is neither tensors nor what tells of them.
  private static func accompanies(_ name: String) -> Bool {
    let others = [
      ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".npy", ".npz", ".safetensors.index.json",
    ]
    return !others.contains(where: name.hasSuffix) && name != "config.json"
      && name != "hf_quant_config.json" && !name.hasPrefix(".")
  }
}

extension CheckpointTensor {
  /// The tensor as values on their way to a file.
  func output(as type: ValueType?, parallelism: Parallelism) -> OutputTensor {
    if case .plain(let stored) = contents, stored.isKept(by: type) {
      return stored.output(name, shape)
    }
    let type = type ?? .f32
    return OutputTensor(
      name: name, sourceByteCount: byteCount,
      parts: [StoredDescription(name, type.dtype, shape)]
    ) { writer throws(ModelCheckpointError) in
      let width = type.dtype.bitWidth / 8
      for (index, range) in valueRanges().enumerated() {
        let values = try values(at: index, parallelism: parallelism)
        try writer.write(
          type.bytes(of: values, parallelism: parallelism), of: 0, at: range.lowerBound * width)
      }
    }
  }
}

extension StoredTensor {
  /// Whether its bytes are what is asked for.
  fileprivate func isKept(by type: ValueType?) -> Bool {
    guard case .file = source, let dtype = self.type.dtype else { return false }
    guard self.type.floatEncoding != nil else { return true }
    return type == nil || type?.dtype == dtype
  }

  /// The tensor as it is stored, on its way to a file.
  func output(_ name: String, _ shape: [Int]) -> OutputTensor {
    OutputTensor(
      name: name, sourceByteCount: byteCount,
      parts: [StoredDescription(name, type.dtype ?? .u8, shape)]
    ) { writer throws(ModelCheckpointError) in
      let step = 1 << 22
      for start in stride(from: 0, to: byteCount, by: step) {
        let range = start..<min(start + step, byteCount)
        try writer.write(try bytes(in: range), of: 0, at: start)
      }
    }
  }
}
