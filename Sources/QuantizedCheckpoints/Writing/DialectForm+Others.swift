internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

// compressed-tensors, DeepSeek, MLX and bitsandbytes.

extension Dialect {
  func compressedTensorsForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    let length = shape[shape.count - 1]
    let (packed, scale) = (name.module + "weight_packed", name.module + "weight_scale")
    let parts: [DialectForm.Part]
    switch kind {
    case .nvfp4(.float32):
      parts = [
        Self.part(packed, .u8, Self.shape(shape, last: length / 2), .field(0, .plane)),
        Self.part(scale, .f8E4M3, Self.shape(shape, last: length / 16), .field(1, .plane)),
        Self.part(
          name.module + "weight_global_scale", .f32, [1], .field(2, .tensorScale(.reciprocal))),
      ]
    case .mx(.e2m1fn), .mx(.e2m3fn):
      let bits = format.layout.element.bitWidth
      parts = [
        Self.part(packed, .u8, Self.shape(shape, last: length * bits / 8), .field(0, .plane)),
        Self.part(scale, .u8, Self.shape(shape, last: length / 32), .field(1, .plane)),
      ]
    case .mx(.e4m3fn):
      parts = [
        Self.part(name.whole, .f8E4M3, shape, .field(0, .plane)),
        Self.part(scale, .u8, Self.shape(shape, last: length / 32), .field(1, .plane)),
      ]
    case .fp8(.e4m3fn, let block):
      guard let scaleShape = Self.scaleShape(block, shape) else { return nil }
      parts = [
        Self.part(name.whole, .f8E4M3, shape, .field(0, .plane)),
        Self.part(scale, .f32, scaleShape, .field(1, .floats)),
      ]
    case .integers(let bits, let block):
      guard shape.count == 2 else { return nil }
      let groups: Int
      switch block {
      case .row: groups = 1
      case .vector(let group): groups = length / group
      default: return nil
      }
      let extents = shape.flatMap { extent in
        (0..<8).map { UInt8(truncatingIfNeeded: extent >> (8 * $0)) }
      }
      parts = [
        Self.part(
          packed, .i32, Self.shape(shape, last: (length * bits + 31) / 32),
          .field(0, .offsetWords)),
        Self.part(scale, .f32, Self.shape(shape, last: groups), .field(1, .floats)),
        Self.part(name.module + "weight_shape", .i64, [2], .constant(extents)),
      ]
    default: return nil
    }
    return DialectForm(format: format, shape: shape, parts: parts)
  }

  /// The shape of FP8 scales: one, one a row, or one for each tile.
  private static func scaleShape(_ block: BlockShape, _ shape: [Int]) -> [Int]? {
    switch block {
    case .tensor: return [1]
    case .row: return Self.shape(shape, last: 1)
    case .tile(let rows, let columns) where shape.count >= 2:
      let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
      return shape.dropLast(2) + [(height + rows - 1) / rows, (width + columns - 1) / columns]
    default: return nil
    }
  }

  func deepSeekForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    guard case .fp8(.e4m3fn, .tile(128, 128)) = kind,
      let scaleShape = Self.scaleShape(format.layout.block, shape)
    else { return nil }
    return DialectForm(
      format: format, shape: shape,
      parts: [
        Self.part(name.whole, .f8E4M3, shape, .field(0, .plane)),
        Self.part(name.module + "weight_scale_inv", .f32, scaleShape, .field(1, .floats)),
      ])
  }

  func mlxForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    let (length, bits) = (shape[shape.count - 1], format.layout.element.bitWidth)
    guard length * bits % 32 == 0 else { return nil }
    let codes = Self.part(
      name.whole, .u32, Self.shape(shape, last: length * bits / 32), .field(0, .plane))
    let scales = name.module + "scales"
    var parts = [codes]
    switch kind {
    case .mx(.e2m1fn), .mx(.e4m3fn):
      parts.append(
        Self.part(scales, .u8, Self.shape(shape, last: length / 32), .field(1, .plane)))
    case .nvfp4(let tensorScale):
      parts.append(
        Self.part(scales, .u8, Self.shape(shape, last: length / 16), .field(1, .plane)))
      if tensorScale == .float32 {
        parts.append(
          Self.part(
            name.module + "global_scale", .f32, [], .field(2, .tensorScale(.largestMagnitude))))
      }
    case .affine(let bits, let group, let scale):
      guard [2, 3, 4, 5, 6, 8].contains(bits), [32, 64, 128].contains(group) else { return nil }
      let dtype: TensorDType = scale == .bf16 ? .bf16 : scale == .fp16 ? .f16 : .f32
      let groups = Self.shape(shape, last: length / group)
      parts.append(Self.part(scales, dtype, groups, .field(1, .plane)))
      parts.append(Self.part(name.module + "biases", dtype, groups, .field(2, .plane)))
    default: return nil
    }
    return DialectForm(format: format, shape: shape, parts: parts)
  }

  func bitsAndBytesForm(
    _ format: any BlockFormat, _ kind: FormatKind, _ name: WeightName, _ shape: [Int]
  ) -> DialectForm? {
    guard case .table(let element, let block) = kind, block % 2 == 0,
      element == .nf4 || element == .fp4BitsAndBytes
    else { return nil }
    let count = shape.reduce(1, *)
    guard count % 2 == 0 else { return nil }
    let type = element == .nf4 ? "nf4" : "fp4"
    let state = JSONValue.object([
      .init("quant_type", .string(type)), .init("blocksize", JSONValue(block)),
      .init("dtype", .string("float32")), .init("shape", .array(shape.map { JSONValue($0) })),
    ]).text(.indented(levels: 0), escaping: .controls)
    let table = StoredPart.bytes(of: (0..<16).map { Float(element.value(of: $0)) })
    return DialectForm(
      format: format, shape: shape,
      parts: [
        Self.part(name.whole, .u8, [count / 2, 1], .field(0, .highNibbleFirst)),
        Self.part(
          name.whole + ".absmax", .f32, [(count + block - 1) / block], .field(1, .floats)),
        Self.part(name.whole + ".quant_map", .f32, [16], .constant(table)),
        Self.part(
          name.whole + ".quant_state.bitsandbytes__" + type, .u8, [state.utf8.count],
          .constant(Array(state.utf8))),
      ])
  }
}
