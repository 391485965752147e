internal import BlockFormats
internal import TensorFiles

/// Reads what `QuantizedTensorFile` writes, from a file that may hold anything.
struct QuantizedTensorReader {
  private let file: SafetensorsFile

  init(_ file: SafetensorsFile) { self.file = file }

  /// Opens a safetensors file.
  init(path: String) throws(ModelCheckpointError) {
    file = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try SafetensorsFile(path: path)
    }
  }

  /// Reads the tensor.
  ///
  /// Layout, format and axis come from the metadata. Every field must have the type and shape that
  /// format and tensor shape demand, and fields that say the same must agree.
  func tensor() throws(ModelCheckpointError) -> QuantizedTensor {
    let format = try format()
    guard let axis = file.metadata["axis"].flatMap(Int.init) else {
      throw failure("metadata names no axis")
    }
    let known = ["codes", "packed"] + otherFields(of: format).map(\.name)
    for tensor in file.tensors where !known.contains(tensor.name) {
      throw failure("tensor '\(tensor.name.prefix(80))' does not belong to \(format.id)")
    }
    switch try layout() {
    case .packed: return try packedTensor(format, axis)
    case .unpacked: return try unpackedTensor(format, axis)
    }
  }

  /// The fields of a format besides the codes of its elements.
  private func otherFields(of format: any BlockFormat) -> ArraySlice<StoredField> {
    format.layout.fields.dropFirst()
  }

  private func layout() throws(ModelCheckpointError) -> QuantizedTensorFile.Layout {
    guard let text = file.metadata["layout"] else { return .unpacked }
    guard let layout = QuantizedTensorFile.Layout(rawValue: text) else {
      let known = QuantizedTensorFile.Layout.allCases.map(\.rawValue).joined(separator: " and ")
      throw failure("metadata: layout '\(text.prefix(80))' is not known; \(known) are")
    }
    return layout
  }

  // MARK: - Packed planes

  private func packedTensor(
    _ format: any BlockFormat, _ axis: Int
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    guard let text = file.metadata["shape"] else { throw failure("metadata names no shape") }
    guard let shape = ShapeText.shape(of: text) else {
      throw failure("metadata: shape '\(text.prefix(80))' is none")
    }
    var bytes: [UInt8] = []
    for field in format.layout.fields {
      let name = QuantizedTensorFile.tensorName(of: field)
      guard let plane = file.tensor(named: name) else { throw failure("no tensor '\(name)'") }
      bytes += try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
        try file.bytes(of: plane)
      }
    }
    let tensor = try assembled(format, shape, axis, storedBytes: bytes)
    // The bytes are as many as they should be; each plane must have its own share of them.
    for expected in QuantizedTensorFile.planes(of: tensor) {
      let info = try info(expected.name, dtype: expected.dtype)
      guard info.shape == expected.shape else {
        throw failure("tensor '\(info.name)' has shape \(info.shape), not \(expected.shape)")
      }
    }
    if file.tensor(named: "codes") != nil {
      let (codes, shape) = try codes(of: format.layout.fields[0])
      guard shape == tensor.shape(of: "codes"), codes == tensor["codes"].unpacked() else {
        throw failure("tensor 'codes' does not hold the codes of 'packed'")
      }
    }
    return tensor
  }

  private func assembled(
    _ format: any BlockFormat, _ shape: [Int], _ axis: Int, storedBytes: [UInt8]
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    let policy = try policy(of: format)
    do throws(StorageError) {
      return try QuantizedTensor(
        format: format, shape: shape, axis: axis, policy: policy, storedBytes: storedBytes)
    } catch {
      throw failure(error.description)
    }
  }

  // MARK: - Version 0.1.0

  private func unpackedTensor(
    _ format: any BlockFormat, _ axis: Int
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    var fields: [String: [UInt32]] = [:]
    var shapes: [String: [Int]] = [:]
    for field in format.layout.fields {
      (fields[field.name], shapes[field.name]) = try codes(of: field)
    }
    let shape = shapes["codes"] ?? []
    let tensor = try assembled(format, shape, axis, fields)
    for field in otherFields(of: format) {
      let (found, expected) = (shapes[field.name] ?? [], tensor.shape(of: field.name))
      guard found == expected else {
        throw failure("tensor '\(field.name)' has shape \(found), not \(expected)")
      }
    }
    if let packed = file.tensor(named: "packed") {
      let stored = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
        try file.bytes(of: packed)
      }
      guard stored == tensor.storedBytes else {
        throw failure("tensor 'packed' does not hold the fields of the other tensors")
      }
    }
    return tensor
  }

  private func assembled(
    _ format: any BlockFormat, _ shape: [Int], _ axis: Int, _ codes: [String: [UInt32]]
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    let policy = try policy(of: format)
    do throws(StorageError) {
      return try QuantizedTensor(
        format: format, shape: shape, axis: axis, policy: policy, codes: codes)
    } catch {
      throw failure(error.description)
    }
  }

  // MARK: - Metadata and fields

  private func format() throws(ModelCheckpointError) -> any BlockFormat {
    guard let id = file.metadata["format"] else { throw failure("metadata names no format") }
    guard id.utf8.count <= 256 else {
      throw failure("metadata names a format of \(id.utf8.count) bytes")
    }
    do throws(FormatNameError) {
      return try FormatCatalog.format(id: id)
    } catch {
      throw failure("metadata: \(error.description)")
    }
  }

  /// The choices that the metadata names; those it leaves out are the format's own.
  private func policy(of format: any BlockFormat) throws(ModelCheckpointError) -> EncodingPolicy {
    var policy = format.defaultPolicy
    for aspect in PolicyAspect.allCases {
      guard let id = file.metadata[aspect.key] else { continue }
      guard aspect.choose(id, in: &policy, scaleRules: format.scaleRules) else {
        throw failure("metadata: \(aspect.key) '\(id.prefix(80))' is not known")
      }
    }
    return policy
  }

  /// The codes of a tensor that must be there with the dtype of its format.
  private func codes(
    of field: StoredField
  ) throws(ModelCheckpointError) -> (values: [UInt32], shape: [Int]) {
    let isFloat = field.element == .fp32 && field.name != "codes"
    let dtype: TensorDType =
      isFloat ? .f32 : field.bitWidth <= 8 ? .u8 : field.bitWidth <= 16 ? .u16 : .u32
    let info = try info(field.name, dtype: dtype)
    let file = file
    let values = try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      switch dtype {
      case .f32: try file.floats(of: info).map(\.bitPattern)
      case .u8: try file.integers(of: info, as: UInt8.self).map(UInt32.init)
      case .u16: try file.integers(of: info, as: UInt16.self).map(UInt32.init)
      default: try file.integers(of: info, as: UInt32.self)
      }
    }
    return (values, info.shape)
  }

  private func info(_ name: String, dtype: TensorDType) throws(ModelCheckpointError) -> TensorInfo {
    guard let info = file.tensor(named: name) else { throw failure("no tensor '\(name)'") }
    guard info.dtype == dtype else {
      throw failure("tensor '\(name)' is \(info.dtype.rawValue), not \(dtype.rawValue)")
    }
    return info
  }

  private func failure(_ cause: String) -> ModelCheckpointError {
    .configuration(path: file.path, reason: cause)
  }
}
