internal import CallerChecks
internal import TensorFiles

/// A tensor of a model on its way to a file: what will be stored, and what stores it.
struct OutputTensor: Sendable {
  /// The name in the model.
  let name: String
  /// The bytes of its source, for progress.
  let sourceByteCount: Int
  /// The stored tensors that it becomes.
  let parts: [StoredDescription]
  /// Writes all bytes of all parts, in any order.
  let write: @Sendable (inout PartWriter) throws(ModelCheckpointError) -> Void

  /// The bytes that it will take.
  var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
}

/// A stored tensor that will be, without its bytes.
struct StoredDescription: Hashable, Sendable {
  /// The name in the file.
  let name: String
  /// The type of its elements.
  let type: StoredType
  /// The extents, outermost first.
  let shape: [Int]
  /// The bytes that it takes.
  let byteCount: Int

  init(_ name: String, _ dtype: TensorDType, _ shape: [Int]) {
    self.name = name
    type = .plain(dtype)
    self.shape = shape
    byteCount = TensorDescription(name: name, dtype: dtype, shape: shape).byteCount
  }

  init(_ name: String, _ ggml: GGMLType, _ shape: [Int]) {
    self.name = name
    type = .ggml(ggml)
    self.shape = shape
    byteCount = GGUFTensorDescription(name: name, type: ggml, shape: shape).byteCount
  }
}

/// Writes the parts of one tensor after the other into the file that holds all.
struct PartWriter: ~Copyable {
  private var safetensors: SafetensorsFileWriter?
  private var gguf: GGUFWriter?
  /// The index in the file of the first part of the tensor at work.
  private var first = 0

  /// Begins a safetensors file.
  ///
  /// - Precondition: every part has a dtype.
  init(
    path: String, tensors: [OutputTensor], metadata: [String: String], style: SafetensorsStyle
  ) throws(ModelCheckpointError) {
    let descriptions = tensors.flatMap(\.parts).map { part in
      guard let dtype = part.type.dtype else { refuse("\(part.type) in a safetensors file") }
      return TensorDescription(name: part.name, dtype: dtype, shape: part.shape)
    }
    safetensors = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try SafetensorsFileWriter(
        path: path, tensors: descriptions, metadata: metadata, style: style)
    }
  }

  /// Begins a GGUF file, whose bytes come in their order.
  ///
  /// - Precondition: GGUF has the type of every part.
  init(
    path: String, tensors: [OutputTensor], metadata: GGUFMetadata
  ) throws(ModelCheckpointError) {
    let descriptions = tensors.flatMap(\.parts).map { part in
      guard let type = part.type.ggml else { refuse("\(part.type) in a GGUF file") }
      return GGUFTensorDescription(name: part.name, type: type, shape: part.shape)
    }
    gguf = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try GGUFWriter(path: path, metadata: metadata, tensors: descriptions)
    }
  }

  /// Appends a tensor.
  mutating func write(_ tensor: OutputTensor) throws(ModelCheckpointError) {
    try tensor.write(&self)
    first += tensor.parts.count
  }

  /// Writes bytes of a part of the tensor at work; into GGUF in their order.
  mutating func write(
    _ bytes: [UInt8], of part: Int, at offset: Int
  ) throws(ModelCheckpointError) {
    do {
      try safetensors?.write(bytes, of: first + part, at: offset)
      try gguf?.write(bytes)
    } catch {
      throw .file(error)
    }
  }

  /// Gives the finished file its name.
  consuming func commit() throws(ModelCheckpointError) {
    do {
      try safetensors?.commit()
      try gguf?.commit()
    } catch {
      throw .file(error)
    }
  }
}
