public import BlockFormats
internal import TensorFiles

/// How a dialect stores a tensor of a format: the stored tensors, and what goes into each.
struct DialectForm: Sendable {
  /// The block format, whose default policy is the producer's.
  let format: any BlockFormat
  /// The extents as blocks see them.
  let shape: [Int]
  /// How the values lie in the tensor that a program sees.
  var orientation = QuantizedStorage.Orientation.stored
  /// The stored tensors.
  var parts: [Part]
  /// Text for the header of the file.
  var metadata: [String: String] = [:]

  /// A stored tensor.
  struct Part: Sendable {
    /// What it is called and how large it is.
    let description: StoredDescription
    /// What goes into it.
    let contents: Contents
  }

  /// What goes into a stored tensor.
  enum Contents: Sendable {
    /// The codes of a field of the format, by its place in the layout.
    case field(Int, PartCoding)
    /// All fields of a block together.
    case blocks(BlockPacking)
    /// The same bytes whatever the values are.
    case constant([UInt8])
  }
}

/// The name of a weight in the parts that dialects make of it.
struct WeightName {
  /// The whole name.
  let whole: String
  /// What stands before the last part, with its point: `model.layers.0.mlp.up_proj.`.
  let module: String
  /// The last part: `weight`.
  let parameter: String

  init(_ name: String) {
    whole = name
    (module, parameter) = Recognition.split(name)
  }

  /// Whether it is the weight of a module.
  var isWeight: Bool { parameter == "weight" }
}

extension Dialect {
  /// The format that a text names in this dialect: by the producer's name of it, or by the library's id.
  ///
  /// - Throws: `.request` where the dialect stores nothing of the name.
  public func format(named text: String) throws(ModelCheckpointError) -> any BlockFormat {
    let presets = ProducerPreset.all.filter { $0.producer == rawValue }
    if let preset = presets.first(where: { $0.name == text }) { return preset.format }
    let format: any BlockFormat
    do {
      format = try FormatCatalog.format(id: text)
    } catch {
      let known = presets.map(\.name).joined(separator: ", ")
      throw .request(
        path: text, reason: "is no format\(known.isEmpty ? "" : "; \(rawValue) has \(known)")")
    }
    return presets.first { $0.format.isSame(as: format) }?.format ?? format
  }

  /// How values lie in the tensors that are written.
  var orientation: QuantizedStorage.Orientation {
    self == .gptOSS ? .lastAxesExchanged : .stored
  }

  /// How the dialect stores a tensor of a format.
  ///
  /// - Returns: nil, with a reason, where it has no place for the format or the shape.
  func form(
    _ format: any BlockFormat, name: WeightName, shape: [Int]
  ) -> Result<DialectForm, FormRefusal> {
    guard let length = shape.last, length > 0, !shape.contains(0) else {
      return .failure(FormRefusal("shape \(shape) has no elements"))
    }
    if case .vector(let block) = format.layout.block, length % block != 0 {
      return .failure(FormRefusal("rows of \(length) are no whole blocks of \(block)"))
    }
    guard name.isWeight || [.gptOSS, .torchao, .bitsandbytes, .ggml].contains(self) else {
      return .failure(
        FormRefusal("\(rawValue) stores 'MODULE.weight', which '\(name.whole)' is not"))
    }
    let kind = FormatKind(format)
    let form: DialectForm? =
      switch self {
      case .torchao: torchAOForm(format, kind, name, shape)
      case .modelOpt: modelOptForm(format, kind, name, shape)
      case .quark: quarkForm(format, kind, name, shape)
      case .compressedTensors: compressedTensorsForm(format, kind, name, shape)
      case .deepSeek: deepSeekForm(format, kind, name, shape)
      case .gptOSS: gptOSSForm(format, kind, name, shape)
      case .mlx: mlxForm(format, kind, name, shape)
      case .bitsandbytes: bitsAndBytesForm(format, kind, name, shape)
      case .ggml: ggmlForm(format, name, shape)
      case .blockFormats: nil
      }
    guard let form else {
      return .failure(FormRefusal("\(rawValue) has no place for \(format.id) of shape \(shape)"))
    }
    return .success(form)
  }
}

/// Why a dialect does not store a tensor.
struct FormRefusal: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// The formats that producers store, as far as their layouts differ.
enum FormatKind: Hashable, Sendable {
  /// A power of two for 32 elements.
  case mx(element: ElementFormat)
  /// E2M1 in blocks of 16 with E4M3 scales, and an FP32 scale of the tensor or none.
  case nvfp4(TwoLevelFormat.TensorScaling)
  /// FP8 with FP32 scales.
  case fp8(element: ElementFormat, block: BlockShape)
  /// Signed integers of full range with FP32 scales.
  case integers(bits: Int, block: BlockShape)
  /// Unsigned integers with a factor and an offset for each group.
  case affine(bits: Int, group: Int, scale: ElementFormat)
  /// A table with FP32 scales, in runs.
  case table(ElementFormat, block: Int)
  /// Anything else.
  case other

  init(_ format: any BlockFormat) {
    let (element, block) = (format.layout.element, format.layout.block)
    switch format {
    case is SharedExponentFormat
    where block == .vector(length: 32) && format.layout.fields.count == 2:
      self = .mx(element: element)
    case is TwoLevelFormat
    where element == .e2m1fn && block == .vector(length: 16)
      && format.layout.fields[1].element == .e4m3fn:
      self = .nvfp4(format.layout.tensorField == nil ? .absent : .float32)
    case is ScaledFormat where element == .e4m3fn || element == .e5m2:
      self = .fp8(element: element, block: block)
    case is ScaledFormat where element.name.hasPrefix("int") && element.name.hasSuffix("_full"):
      self = .integers(bits: element.bitWidth, block: block)
    case is AffineFormat:
      guard case .vector(let group) = block else {
        self = .other
        return
      }
      self = .affine(
        bits: element.bitWidth, group: group, scale: format.layout.fields[1].element)
    case is AbsmaxFormat:
      guard case .run(let length) = block else {
        self = .other
        return
      }
      self = .table(element, block: length)
    default: self = .other
    }
  }
}
