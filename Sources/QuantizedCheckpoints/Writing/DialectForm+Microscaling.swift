internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

// The dialects of floating-point formats with narrow scales: torchao, ModelOpt, Quark, gpt-oss.

extension Dialect {
  /// A stored tensor of a name, a type and a shape, and what goes into it.
  static func part(
    _ name: String, _ dtype: TensorDType, _ shape: [Int], _ contents: DialectForm.Contents
  ) -> DialectForm.Part {
    DialectForm.Part(
      description: StoredDescription(name, dtype, shape), contents: contents)
  }

  /// A shape whose last extent counts bytes or groups.
  static func shape(_ shape: [Int], last: Int) -> [Int] { shape.dropLast() + [last] }

  /// The dtype of FP8 codes that have one.
  static func dtype(of element: ElementFormat) -> TensorDType? {
    switch element {
    case .e4m3fn: .f8E4M3
    case .e5m2: .f8E5M2
    default: nil
    }
  }

  func torchAOForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    func partName(_ suffix: String) -> String { "\(name.module)_\(name.parameter)_\(suffix)" }
    let length = shape[shape.count - 1]
    var parts: [DialectForm.Part]
    let type: String
    let facts: [JSONValue.Member]
    switch kind {
    case .mx(let element):
      let (dtype, count, coding): (TensorDType, Int, PartCoding)
      let text: JSONValue
      switch element {
      case .e2m1fn:
        (dtype, count, coding) = (.u8, length / 2, .plane)
        text = Self.torchDType("float4_e2m1fn_x2")
      case .e2m3fn, .e3m2fn:
        (dtype, count, coding) = (.u8, length, .bytes)
        text = .string(element == .e2m3fn ? "fp6_e2m3" : "fp6_e3m2")
      default:
        guard let plain = Self.dtype(of: element) else { return nil }
        (dtype, count, coding) = (plain, length, .plane)
        text = Self.torchDType(element == .e4m3fn ? "float8_e4m3fn" : "float8_e5m2")
      }
      type = "MXTensor"
      facts = [
        .init("elem_dtype", text), .init("block_size", JSONValue(32)),
        .init("orig_dtype", Self.torchDType("float32")),
        .init(
          "kernel_preference",
          .object([
            .init("_type", .string("KernelPreference")), .init("_data", .string("EMULATED")),
          ])),
        .init("act_quant_kwargs", .null), .init("is_swizzled_scales", .bool(false)),
      ]
      parts = [
        Self.part(partName("qdata"), dtype, Self.shape(shape, last: count), .field(0, coding)),
        Self.part(
          partName("scale"), .f8E8M0, Self.shape(shape, last: length / 32), .field(1, .plane)),
      ]
    case .nvfp4(let tensorScale):
      type = "NVFP4Tensor"
      facts = [
        .init("is_swizzled_scales", .bool(false)), .init("use_triton_kernel", .bool(false)),
        .init("act_quant_kwargs", .null), .init("block_size", JSONValue(16)),
        .init("orig_dtype", Self.torchDType("float32")),
      ]
      parts = [
        Self.part(partName("qdata"), .u8, Self.shape(shape, last: length / 2), .field(0, .plane)),
        Self.part(
          partName("scale"), .f8E4M3, Self.shape(shape, last: length / 16), .field(1, .plane)),
      ]
      if tensorScale == .float32 {
        parts.append(
          Self.part(
            partName("per_tensor_scale"), .f32, [], .field(2, .tensorScale(.multiplier))))
      }
    case .fp8, .integers, .affine, .table, .other: return nil
    }
    let suffixes = parts.map {
      JSONValue.string(String($0.description.name.dropFirst(partName("").count)))
    }
    let description = JSONValue.object([
      .init("_type", .string(type)), .init("_data", .object(facts)),
      .init("_tensor_data_names", .array(suffixes)),
    ])
    return DialectForm(
      format: format, shape: shape, parts: parts,
      metadata: [name.whole: description.text(.indented(levels: 0), escaping: .controls)])
  }

  private static func torchDType(_ name: String) -> JSONValue {
    .object([.init("_type", .string("torch.dtype")), .init("_data", .string(name))])
  }

  func modelOptForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    let length = shape[shape.count - 1]
    let parts: [DialectForm.Part]
    switch kind {
    case .nvfp4(.float32):
      parts = [
        Self.part(name.whole, .u8, Self.shape(shape, last: length / 2), .field(0, .plane)),
        Self.part(
          name.module + "weight_scale", .f8E4M3, Self.shape(shape, last: length / 16),
          .field(1, .plane)),
        Self.part(
          name.module + "weight_scale_2", .f32, [], .field(2, .tensorScale(.multiplier))),
      ]
    case .mx(.e2m1fn), .mx(.e4m3fn):
      parts = Self.codesAndExponents(format, name, shape)
    case .fp8(let element, .tensor):
      guard let dtype = Self.dtype(of: element) else { return nil }
      parts = [
        Self.part(name.whole, dtype, shape, .field(0, .plane)),
        Self.part(name.module + "weight_scale", .f32, [], .field(1, .floats)),
      ]
    default: return nil
    }
    return DialectForm(format: format, shape: shape, parts: parts)
  }

  /// Codes under the name of the weight, and U8 scales.
  private static func codesAndExponents(
    _ format: any BlockFormat, _ name: WeightName, _ shape: [Int]
  ) -> [DialectForm.Part] {
    let (length, bits) = (shape[shape.count - 1], format.layout.element.bitWidth)
    let dtype = dtype(of: format.layout.element) ?? .u8
    return [
      part(name.whole, dtype, Self.shape(shape, last: length * bits / 8), .field(0, .plane)),
      part(
        name.module + "weight_scale", .u8, Self.shape(shape, last: length / 32), .field(1, .plane)),
    ]
  }

  func quarkForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    switch kind {
    // Nothing in a file tells codes of E3M2 from those of E2M3.
    case .mx(.e2m1fn), .mx(.e2m3fn):
      DialectForm(
        format: format, shape: shape, parts: Self.codesAndExponents(format, name, shape))
    default: nil
    }
  }

  func gptOSSForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    guard case .mx(.e2m1fn) = kind, shape.count == 3 else { return nil }
    let groups = Self.shape(shape, last: shape[2] / 32)
    return DialectForm(
      format: format, shape: shape, orientation: orientation,
      parts: [
        Self.part(name.whole + "_blocks", .u8, groups + [16], .field(0, .plane)),
        Self.part(name.whole + "_scales", .u8, groups, .field(1, .plane)),
      ])
  }
}
