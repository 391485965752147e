import BlockFormats

/// The codes of a tensor by field, those that are given.
func fieldCodes(
  _ codes: [UInt32], scales: [UInt32] = [], subscales: [UInt32] = [], tensorScale: Float? = nil
) -> [String: [UInt32]] {
  var fields = ["codes": codes]
  if !scales.isEmpty { fields["scales"] = scales }
  if !subscales.isEmpty { fields["subscales"] = subscales }
  if let tensorScale { fields["tensor_scale"] = [tensorScale.bitPattern] }
  return fields
}

extension QuantizedTensor {
  /// The planes that most formats have, without codes where this one does not.
  var codes: BitPlane { planes[0] }
  var scales: BitPlane { plane("scales") }
  var subscales: BitPlane { plane("subscales") }

  private func plane(_ name: String) -> BitPlane {
    format.layout.index(of: name).map { planes[$0] }
      ?? BitPlane(rowCount: 0, rowLength: 0, bitWidth: 8)
  }
}
