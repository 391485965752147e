package import BlockFormats
internal import TensorFiles

/// A quantized tensor as a safetensors file, in as many bits as the format has.
///
/// The planes are stored as they are packed (`BitPlane` tells the order of bits), each row of its
/// last axis beginning on a byte:
///
/// - `packed`: the element codes; U8, the shape of the field `codes` with the bytes of a row as last
///   extent.
/// - Every other field of the format under its name, such as `scales`, `subscales` and `tensor_scale`,
///   in the field's shape (`QuantizedTensor.shape(of:)`): F32 where its numbers are FP32, U16 where its
///   codes have 16 bits, otherwise U8 with the bytes of a row as last extent.
/// - `codes`: on request, the codes once more, unpacked, one for an element; U8, U16 above 8 bits,
///   U32 above 16.
///
/// The metadata names this layout, the format, the tensor's shape, the axis and every policy.
///
/// Files of version 0.1.0 have no `layout`. Their `codes`, `scales` and `subscales` hold one integer
/// for each, and `packed` all stored bytes once more.
package enum QuantizedTensorFile {
  /// The layouts that files have had.
  enum Layout: String, CaseIterable {
    /// That of version 0.1.0, whose files do not name it: unpacked fields, and all bytes packed.
    case unpacked = "1"
    /// Packed planes.
    case packed = "2"
  }

  /// Which forms of the element codes a file holds.
  package enum CodeForms: Sendable {
    case packed
    /// Also one integer for each, for programs that do not unpack.
    case packedAndUnpacked
  }

  /// The version that files name as their producer.
  package static let version = "0.1.0"

  /// The name of a field's tensor: the codes of elements are called after their form.
  static func tensorName(of field: StoredField) -> String {
    field.name == "codes" ? "packed" : field.name
  }

  /// Writes a tensor, replacing the file only when it is complete.
  package static func write(
    _ tensor: QuantizedTensor, _ forms: CodeForms, to path: String
  ) throws(ModelCheckpointError) {
    var tensors = planes(of: tensor)
    if forms == .packedAndUnpacked {
      tensors.append(
        integers(
          "codes", tensor.shape(of: "codes"), tensor["codes"].unpacked(),
          bitWidth: tensor["codes"].bitWidth))
    }
    let (contents, metadata) = (tensors, metadata(of: tensor))
    try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try SafetensorsWriter.write(contents, metadata: metadata, to: path)
    }
  }

  /// The stored bytes of a tensor, plane by plane, in the order of `QuantizedTensor.storedBytes`.
  static func planes(of tensor: QuantizedTensor) -> [TensorData] {
    zip(tensor.format.layout.fields, tensor.planes).map { field, plane in
      let (name, shape) = (tensorName(of: field), tensor.shape(of: field.name))
      switch field.bitWidth {
      case 32 where field.element == .fp32 && name != "packed":
        return TensorData(name: name, dtype: .f32, shape: shape, bytes: plane.bytes)
      case 16 where name != "packed":
        return TensorData(name: name, dtype: .u16, shape: shape, bytes: plane.bytes)
      default: return rows(name, shape, plane)
      }
    }
  }

  /// A plane of bytes: the shape of its codes with the bytes of a row as last extent.
  private static func rows(_ name: String, _ shape: [Int], _ plane: BitPlane) -> TensorData {
    TensorData(name: name, shape: shape.dropLast() + [plane.bytesPerRow], plane.bytes)
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
  package static func isAuthor(of metadata: [String: String]) -> Bool {
    metadata["format"] != nil && metadata["producer"]?.hasPrefix("fmtbench ") == true
  }

  private static func metadata(of tensor: QuantizedTensor) -> [String: String] {
    var metadata = [
      "producer": "fmtbench \(version)",
      "layout": Layout.packed.rawValue,
      "format": tensor.format.id,
      "shape": ShapeText.text(of: tensor.shape),
      "axis": String(tensor.axis),
    ]
    for aspect in PolicyAspect.allCases {
      metadata[aspect.key] = aspect.chosen(in: tensor.policy).id
    }
    return metadata
  }
}

/// Shapes as metadata tells them: `[3,70]`, and `[]` for a scalar.
package enum ShapeText {
  package static func text(of shape: [Int]) -> String {
    "[" + shape.map(String.init).joined(separator: ",") + "]"
  }

  /// The shape of a text; nil where it is none.
  static func shape(of text: String) -> [Int]? {
    guard text.hasPrefix("["), text.hasSuffix("]"), text.utf8.count >= 2 else { return nil }
    let inner = text.dropFirst().dropLast()
    guard !inner.isEmpty else { return [] }
    let extents = inner.split(separator: ",", omittingEmptySubsequences: false)
    guard
      extents.allSatisfy({
        $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      })
    else { return nil }
    let values = extents.compactMap { Int($0) }
    return values.count == extents.count ? values : nil
  }
}
