internal import TensorFiles

/// A tensor of a model on its way to a file: what will be stored, and what stores it.
struct OutputTensor: Sendable {
  /// The name in the model.
  let name: String
  /// The bytes of its source, for progress.
  let sourceByteCount: Int
  /// The stored tensors that it becomes.
  let parts: [TensorDescription]
  /// Writes all bytes of all parts, in any order.
  let write: @Sendable (inout PartWriter) throws(ModelCheckpointError) -> Void

  /// The bytes that it will take.
  var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
}

/// Writes the parts of one tensor of a model into the file that holds those of many.
struct PartWriter: ~Copyable {
  private var file: SafetensorsFileWriter
  /// The index in the file of the first part of the tensor at work.
  private var first = 0

  init(
    path: String, tensors: [OutputTensor], metadata: [String: String]
  ) throws(ModelCheckpointError) {
    file = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try SafetensorsFileWriter(path: path, tensors: tensors.flatMap(\.parts), metadata: metadata)
    }
  }

  /// Appends one tensor after the other.
  mutating func write(_ tensor: OutputTensor) throws(ModelCheckpointError) {
    try tensor.write(&self)
    first += tensor.parts.count
  }

  /// Writes bytes of a part of the tensor at work.
  mutating func write(
    _ bytes: [UInt8], of part: Int, at offset: Int
  ) throws(ModelCheckpointError) {
    do {
      try file.write(bytes, of: first + part, at: offset)
    } catch {
      throw .file(error)
    }
  }

  /// Gives the finished file its name.
  consuming func commit() throws(ModelCheckpointError) {
    do {
      try file.commit()
    } catch {
      throw .file(error)
    }
  }
}
