internal import BlockFormats
internal import StrictJSON

/// What loaders of a dialect need to be told of a checkpoint, besides its tensors.
struct DialectReport {
  /// Whose loaders.
  let dialect: Dialect
  /// The tensors, and the form of those that are quantized.
  let forms: [(tensor: CheckpointTensor, form: DialectForm?)]

  /// Text for the header of each file.
  var metadata: [String: String] {
    var metadata: [String: String] = [:]
    for entry in forms {
      metadata.merge(entry.form?.metadata ?? [:]) { first, _ in first }
    }
    switch dialect {
    case .mlx: return ["format": "mlx"]
    case .torchao:
      let names = forms.map { JSONValue.string($0.tensor.name) }
      metadata["tensor_names"] = JSONValue.array(names).text(
        .indented(levels: 0), escaping: .controls)
      return metadata
    default: return ["format": "pt"]
    }
  }

  /// Files beside `config.json` in which the dialect tells what was done.
  var documents: [CheckpointOutput.Document] {
    guard dialect == .modelOpt, let format = formats.first else { return [] }
    let quantization = JSONValue.object([
      .init("producer", Self.producer),
      .init(
        "quantization",
        .object([
          .init("quant_algo", .string(Self.modelOptAlgorithm(format))),
          .init("kv_cache_quant_algo", .null),
          .init("group_size", JSONValue(format.layout.block.elementCount ?? 1)),
          .init("exclude_modules", .array(keptModules.map(JSONValue.string))),
        ])),
    ])
    return [
      .text(
        name: "hf_quant_config.json",
        contents: quantization.text(.indented(), escaping: .controls) + "\n")
    ]
  }

  /// The formats, each once.
  var formats: [any BlockFormat] {
    forms.compactMap { $0.form?.format }.reduce(into: []) { formats, format in
      if !formats.contains(where: { $0.isSame(as: format) }) { formats.append(format) }
    }
  }

  /// The matrices that are kept, without the ending of weights.
  var keptModules: [String] {
    forms.compactMap { entry in
      let tensor = entry.tensor
      guard entry.form == nil, tensor.shape.count == 2, tensor.name.hasSuffix(".weight") else {
        return nil
      }
      return String(tensor.name.dropLast(".weight".count))
    }
  }

  private static let producer = JSONValue.object([
    .init("name", .string("fmtbench")), .init("version", .string(QuantizedTensorFile.version)),
  ])

  private static func modelOptAlgorithm(_ format: any BlockFormat) -> String {
    switch FormatKind(format) {
    case .nvfp4: "NVFP4"
    case .mx(.e2m1fn): "MXFP4"
    case .mx: "MXFP8"
    default: "FP8"
    }
  }
}

extension ModelCheckpoint {
  /// The model's configuration with what the dialect says of the work.
  func configuration(of report: DialectReport) -> JSONValue? {
    guard let told = report.configuration else { return configurationWithoutQuantization }
    guard case .object(let members) = configurationWithoutQuantization ?? .object([]) else {
      return nil
    }
    return .object(members + [told])
  }
}

extension DialectReport {
  /// The member of `config.json` that tells of the work; nil in dialects without one.
  var configuration: JSONValue.Member? {
    guard let format = formats.first else { return nil }
    let kind = FormatKind(format)
    switch dialect {
    case .mlx: return mlxConfiguration
    case .gptOSS:
      return .init(
        "quantization_config",
        .object([
          .init("quant_method", .string("mxfp4")),
          .init("modules_to_not_convert", .array(keptModules.map(JSONValue.string))),
        ]))
    case .deepSeek:
      return .init(
        "quantization_config",
        .object([
          .init("activation_scheme", .string("dynamic")), .init("fmt", .string("e4m3")),
          .init("quant_method", .string("fp8")),
          .init("weight_block_size", .array([JSONValue(128), JSONValue(128)])),
        ]))
    case .modelOpt:
      return .init(
        "quantization_config",
        .object([
          .init("quant_algo", .string(Self.modelOptAlgorithm(format))),
          .init("ignore", .array(keptModules.map(JSONValue.string))),
          .init("producer", Self.producer), .init("quant_method", .string("modelopt")),
        ]))
    case .compressedTensors: return compressedTensorsConfiguration
    case .quark:
      return .init(
        "quantization_config",
        .object([
          .init("quant_method", .string("quark")),
          .init("exclude", .array(keptModules.map(JSONValue.string))),
        ]))
    case .bitsandbytes:
      guard case .table(let element, _) = kind else { return nil }
      return .init(
        "quantization_config",
        .object([
          .init("quant_method", .string("bitsandbytes")), .init("load_in_4bit", .bool(true)),
          .init("bnb_4bit_quant_type", .string(element == .nf4 ? "nf4" : "fp4")),
          .init("bnb_4bit_use_double_quant", .bool(false)),
          .init("llm_int8_skip_modules", .array(keptModules.map(JSONValue.string))),
        ]))
    case .torchao, .blockFormats, .ggml: return nil
    }
  }

  private var mlxConfiguration: JSONValue.Member? {
    func facts(_ format: any BlockFormat) -> [JSONValue.Member] {
      let (group, bits) = (
        format.layout.block.elementCount ?? 1, format.layout.element.bitWidth
      )
      let mode =
        switch FormatKind(format) {
        case .mx(.e2m1fn): "mxfp4"
        case .mx: "mxfp8"
        case .nvfp4: "nvfp4"
        default: "affine"
        }
      return [
        .init("group_size", JSONValue(group)), .init("bits", JSONValue(bits)),
        .init("mode", .string(mode)),
      ]
    }
    guard let first = formats.first else { return nil }
    // Layers in another format than the first say so themselves.
    let others = forms.compactMap { entry -> JSONValue.Member? in
      guard let form = entry.form, !form.format.isSame(as: first) else { return nil }
      return .init(WeightName(entry.tensor.name).layer, .object(facts(form.format)))
    }
    return .init("quantization", .object(facts(first) + others))
  }

  private var compressedTensorsConfiguration: JSONValue.Member? {
    let groups = formats.enumerated().map { index, format in
      JSONValue.Member("group_\(index)", compressedTensorsGroup(format))
    }
    let names = Set(formats.map(Self.compressedTensorsFormat))
    return .init(
      "quantization_config",
      .object([
        .init("config_groups", .object(groups)),
        .init(
          "format",
          .string(names.count == 1 ? names.first ?? "" : "mixed-precision")),
        .init("global_compression_ratio", .null),
        .init("ignore", .array(keptModules.map(JSONValue.string))),
        .init("kv_cache_scheme", .null), .init("quant_method", .string("compressed-tensors")),
        .init("quantization_status", .string("compressed")),
        .init("sparsity_config", .object([])), .init("transform_config", .object([])),
        .init("version", .string("0.20.0")),
      ]))
  }

  private static func compressedTensorsFormat(_ format: any BlockFormat) -> String {
    switch FormatKind(format) {
    case .nvfp4: "nvfp4-pack-quantized"
    case .mx(.e2m1fn): "mxfp4-pack-quantized"
    case .mx(.e2m3fn): "mxfp6-pack-quantized"
    case .mx: "mxfp8-quantized"
    case .fp8: "float-quantized"
    default: "pack-quantized"
    }
  }

  private func compressedTensorsGroup(_ format: any BlockFormat) -> JSONValue {
    let (strategy, group): (String, Int?) =
      switch format.layout.block {
      case .tensor: ("tensor", nil)
      case .row: ("channel", nil)
      case .tile: ("block", nil)
      case .vector(let length), .run(let length):
        (format.layout.tensorField == nil ? "group" : "tensor_group", length)
      }
    var weights: [JSONValue.Member] = []
    if case .tile(let rows, let columns) = format.layout.block {
      weights.append(.init("block_structure", .array([JSONValue(rows), JSONValue(columns)])))
    }
    weights += [
      .init("dynamic", .bool(false)), .init("group_size", group.map { JSONValue($0) } ?? .null),
      .init("num_bits", JSONValue(format.layout.element.bitWidth)),
    ]
    switch FormatKind(format) {
    case .nvfp4: weights.append(.init("scale_dtype", .string("torch.float8_e4m3fn")))
    case .mx: weights.append(.init("scale_dtype", .string("torch.uint8")))
    default: break
    }
    let isInteger = if case .integers = FormatKind(format) { true } else { false }
    weights += [
      .init("strategy", .string(strategy)), .init("symmetric", .bool(true)),
      .init("type", .string(isInteger ? "int" : "float")),
    ]
    // Where formats are mixed, each group names its layers.
    let targets =
      formats.count == 1
      ? [JSONValue.string("Linear")]
      : forms.filter { $0.form?.format.isSame(as: format) == true }
        .map { .string(WeightName($0.tensor.name).layer) }
    return .object([
      .init("format", .string(Self.compressedTensorsFormat(format))),
      .init("input_activations", .null), .init("output_activations", .null),
      .init("targets", .array(targets)), .init("weights", .object(weights)),
    ])
  }
}

extension WeightName {
  /// The name of the layer: the module without its point.
  var layer: String { String(module.dropLast()) }
}
