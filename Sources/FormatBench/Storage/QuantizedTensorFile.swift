import BlockFormats
import TensorFiles

/// A quantized tensor as a safetensors file of plain integer and F32 tensors.
///
/// - `codes`: one element code each, the tensor's shape; U8, U16 above 8 bits, U32 above 16.
/// - `scales`: one for each block, in `QuantizedTensor.scaleShape`; U8 or U16 codes, F32 where the
///   scale is FP32. Absent without scales.
/// - `subscales`: U8, one for each sub-block. Absent without sub-scales.
/// - `tensor_scale`: F32 [1], the decode multiplier. Absent where the format has none.
/// - `packed`: U8, the stored bytes, as `QuantizedTensor.storedBytes`.
///
/// The metadata names the format, the axis and every policy.
enum QuantizedTensorFile {
  /// Writes a tensor, replacing the file only when it is complete.
  static func write(_ tensor: QuantizedTensor, to path: String) throws(CommandError) {
    let layout = tensor.format.layout
    var tensors = [
      integers(
        "codes", tensor.codeShape, tensor.codes.unpacked(), bitWidth: layout.element.bitWidth)
    ]
    if let scale = layout.scale, let shape = tensor.scaleShape {
      let codes = tensor.scales.unpacked()
      tensors.append(
        scale == .fp32
          ? TensorData(name: "scales", shape: shape, codes.map(Float.init(bitPattern:)))
          : integers("scales", shape, codes, bitWidth: scale.bitWidth))
    }
    if let subscale = layout.subscale, let shape = tensor.subscaleShape {
      tensors.append(
        integers("subscales", shape, tensor.subscales.unpacked(), bitWidth: subscale.bitWidth))
    }
    if let scale = tensor.tensorScale {
      tensors.append(TensorData(name: "tensor_scale", shape: [1], [scale]))
    }
    let packed = tensor.storedBytes
    tensors.append(TensorData(name: "packed", shape: [packed.count], packed))
    let (contents, metadata) = (tensors, metadata(of: tensor))
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try SafetensorsWriter.write(contents, metadata: metadata, to: path)
    }
  }

  private static func integers(
    _ name: String, _ shape: [Int], _ codes: [UInt32], bitWidth: Int
  ) -> TensorData {
    switch bitWidth {
    case ...8: TensorData(name: name, shape: shape, codes.map { UInt8(truncatingIfNeeded: $0) })
    case ...16: TensorData(name: name, shape: shape, codes.map { UInt16(truncatingIfNeeded: $0) })
    default: TensorData(name: name, shape: shape, codes)
    }
  }

  /// Whether the metadata of a file is what `write` gives it.
  static func isAuthor(of metadata: [String: String]) -> Bool {
    metadata["format"] != nil && metadata["producer"]?.hasPrefix("fmtbench ") == true
  }

  private static func metadata(of tensor: QuantizedTensor) -> [String: String] {
    [
      "producer": "fmtbench \(Fmtbench.version)",
      "format": tensor.format.id,
      "axis": String(tensor.axis),
      "scale_rule": tensor.policy.scaleRule.id,
      "rounding": tensor.policy.rounding.id,
      "overflow": tensor.policy.overflow.id,
      "non_finite": tensor.policy.nonFinite.id,
      "scale_floor": tensor.policy.scaleFloor.id,
      "zero_block": tensor.policy.zeroBlock.id,
    ]
  }
}
