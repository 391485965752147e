import BlockFormats
import CommandLineToolkit
import TensorFiles

/// Reads what `QuantizedTensorFile` writes, from a file that may hold anything.
struct QuantizedTensorReader {
  private let file: SafetensorsFile

  /// Opens a safetensors file.
  init(path: String) throws(CommandError) {
    file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try SafetensorsFile(path: path)
    }
  }

  /// Reads the tensor.
  ///
  /// Layout, format and axis come from the metadata. Every field must have the type and shape that
  /// format and tensor shape demand, and fields that say the same must agree.
  func tensor() throws(CommandError) -> QuantizedTensor {
    for tensor in file.tensors where !QuantizedTensorFile.tensorNames.contains(tensor.name) {
      throw failure("tensor '\(tensor.name.prefix(80))' is no part of a quantized tensor")
    }
    let format = try format()
    guard let axis = file.metadata["axis"].flatMap(Int.init) else {
      throw failure("metadata names no axis")
    }
    let fields = presentFields(of: format)
    for name in ["scales", "subscales", "tensor_scale"]
    where !fields.contains(name) && file.tensor(named: name) != nil {
      throw failure("tensor '\(name)' does not belong to \(format.id)")
    }
    switch try layout() {
    case .packed: return try packedTensor(format, axis)
    case .unpacked: return try unpackedTensor(format, axis)
    }
  }

  /// The tensors besides the codes that a format has.
  private func presentFields(of format: any BlockFormat) -> [String] {
    let layout = format.layout
    return (layout.scale == nil ? [] : ["scales"]) + (layout.subscale == nil ? [] : ["subscales"])
      + (layout.tensorScale == .absent ? [] : ["tensor_scale"])
  }

  private func layout() throws(CommandError) -> QuantizedTensorFile.Layout {
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
  ) throws(CommandError) -> QuantizedTensor {
    guard let text = file.metadata["shape"] else { throw failure("metadata names no shape") }
    guard let shape = ShapeText.shape(of: text) else {
      throw failure("metadata: shape '\(text.prefix(80))' is none")
    }
    var bytes: [UInt8] = []
    for name in ["packed"] + presentFields(of: format) {
      guard let plane = file.tensor(named: name) else { throw failure("no tensor '\(name)'") }
      bytes += try CommandError.bridgingFileFailures { () throws(TensorFileError) in
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
      let (codes, shape) = try field("codes", as: format.layout.element)
      guard shape == tensor.codeShape, codes == tensor.codes.unpacked() else {
        throw failure("tensor 'codes' does not hold the codes of 'packed'")
      }
    }
    return tensor
  }

  private func assembled(
    _ format: any BlockFormat, _ shape: [Int], _ axis: Int, storedBytes: [UInt8]
  ) throws(CommandError) -> QuantizedTensor {
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
  ) throws(CommandError) -> QuantizedTensor {
    let layout = format.layout
    let (codes, shape) = try field("codes", as: layout.element)
    var scales: [UInt32] = []
    var subscales: [UInt32] = []
    var shapes: [(name: String, shape: [Int])] = []
    if let scale = layout.scale {
      let field = try field("scales", as: scale)
      scales = field.values
      shapes.append(("scales", field.shape))
    }
    if let subscale = layout.subscale {
      let field = try field("subscales", bitWidth: subscale.bitWidth)
      subscales = field.values
      shapes.append(("subscales", field.shape))
    }
    let tensorScale = layout.tensorScale == .absent ? nil : try floatField("tensor_scale")
    let tensor = try assembled(
      format, try policy(of: format), shape, axis, codes, scales, subscales, tensorScale)
    for (name, shape) in shapes {
      let expected = name == "scales" ? tensor.scaleShape : tensor.subscaleShape
      guard shape == expected else {
        throw failure("tensor '\(name)' has shape \(shape), not \(expected ?? [])")
      }
    }
    if let packed = file.tensor(named: "packed") {
      let stored = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
        try file.bytes(of: packed)
      }
      guard stored == tensor.storedBytes else {
        throw failure("tensor 'packed' does not hold the fields of the other tensors")
      }
    }
    return tensor
  }

  private func assembled(
    _ format: any BlockFormat, _ policy: EncodingPolicy, _ shape: [Int], _ axis: Int,
    _ codes: [UInt32], _ scales: [UInt32], _ subscales: [UInt32], _ tensorScale: Float?
  ) throws(CommandError) -> QuantizedTensor {
    do throws(StorageError) {
      return try QuantizedTensor(
        format: format, shape: shape, axis: axis, policy: policy, codes: codes, scales: scales,
        subscales: subscales, tensorScale: tensorScale)
    } catch {
      throw failure(error.description)
    }
  }

  // MARK: - Metadata and fields

  private func format() throws(CommandError) -> any BlockFormat {
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
  private func policy(of format: any BlockFormat) throws(CommandError) -> EncodingPolicy {
    var policy = format.defaultPolicy
    policy.scaleRule = try choice("scale_rule", policy.scaleRule) { id in
      format.scaleRules.first { $0.id == id }
    }
    policy.rounding = try choice("rounding", policy.rounding, RoundingRule.init(id:))
    policy.overflow = try choice("overflow", policy.overflow, OverflowRule.init(rawValue:))
    policy.nonFinite = try choice("non_finite", policy.nonFinite, NonFiniteRule.init(rawValue:))
    policy.scaleFloor = try choice("scale_floor", policy.scaleFloor, ScaleFloor.init(rawValue:))
    policy.zeroBlock = try choice("zero_block", policy.zeroBlock, ZeroBlockRule.init(rawValue:))
    return policy
  }

  private func choice<Choice>(
    _ key: String, _ fallback: Choice, _ named: (String) -> Choice?
  ) throws(CommandError) -> Choice {
    guard let id = file.metadata[key] else { return fallback }
    guard let choice = named(id) else {
      throw failure("metadata: \(key) '\(id.prefix(80))' is not known")
    }
    return choice
  }

  /// The codes of a tensor that must be there with the dtype of its format.
  private func field(
    _ name: String, as element: ElementFormat
  ) throws(CommandError) -> (values: [UInt32], shape: [Int]) {
    guard name == "scales", element == .fp32 else {
      return try field(name, bitWidth: element.bitWidth)
    }
    let info = try info(name, dtype: .f32)
    let floats = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try file.floats(of: info)
    }
    return (floats.map(\.bitPattern), info.shape)
  }

  private func field(
    _ name: String, bitWidth: Int
  ) throws(CommandError) -> (values: [UInt32], shape: [Int]) {
    let dtype: TensorDType = bitWidth <= 8 ? .u8 : bitWidth <= 16 ? .u16 : .u32
    let info = try info(name, dtype: dtype)
    let file = file
    let values = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      switch dtype {
      case .u8: try file.integers(of: info, as: UInt8.self).map(UInt32.init)
      case .u16: try file.integers(of: info, as: UInt16.self).map(UInt32.init)
      default: try file.integers(of: info, as: UInt32.self)
      }
    }
    return (values, info.shape)
  }

  private func floatField(_ name: String) throws(CommandError) -> Float {
    let info = try info(name, dtype: .f32)
    let file = file
    let floats = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try file.floats(of: info)
    }
    guard floats.count == 1 else {
      throw failure("tensor '\(name)' has \(floats.count) elements, not 1")
    }
    return floats[0]
  }

  private func info(_ name: String, dtype: TensorDType) throws(CommandError) -> TensorInfo {
    guard let info = file.tensor(named: name) else { throw failure("no tensor '\(name)'") }
    guard info.dtype == dtype else {
      throw failure("tensor '\(name)' is \(info.dtype.rawValue), not \(dtype.rawValue)")
    }
    return info
  }

  private func failure(_ cause: String) -> CommandError {
    .input("\(file.path): \(cause)")
  }
}
