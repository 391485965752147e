internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

extension Recognition {
  /// bitsandbytes: `W.quant_state.bitsandbytes__nf4` holds JSON beside the codes, `W.absmax` and the table.
  mutating func readBitsAndBytes() throws(ModelCheckpointError) {
    for state in rest where stored(state.name) != nil {
      for kind in ["nf4", "fp4"] {
        let ending = ".quant_state.bitsandbytes__" + kind
        guard state.name.hasSuffix(ending) else { continue }
        try readBitsAndBytes(String(state.name.dropLast(ending.count)), kind, state)
      }
    }
  }

  private mutating func readBitsAndBytes(
    _ name: String, _ kind: String, _ state: StoredTensor
  ) throws(ModelCheckpointError) {
    guard let codes = stored(name) else {
      note(.unclassified, state, "the state of '\(name)', which is not there")
      return
    }
    guard state.byteCount <= 1 << 16 else {
      throw .tensor(
        path: state.path, name: state.name, reason: "\(state.byteCount) bytes of JSON")
    }
    let description: JSONValue
    do {
      description = try JSONValue(
        reading: String(decoding: state.bytes(), as: UTF8.self), depthLimit: 8)
    } catch {
      throw .tensor(path: state.path, name: state.name, reason: "is not JSON")
    }
    let extents = description["shape"]?.elements?.map(\.integer) ?? []
    guard let block = description["blocksize"]?.integer, (2...1 << 16).contains(block),
      block % 2 == 0, !extents.isEmpty, !extents.contains(where: { ($0 ?? -1) < 0 })
    else {
      throw .tensor(
        path: state.path, name: state.name, reason: "tells no blocksize or no shape")
    }
    guard let absmax = stored(name + ".absmax"), let table = stored(name + ".quant_map") else {
      note(.incomplete, codes, "\(kind) codes without '\(name).absmax' or '\(name).quant_map'")
      return
    }
    let element: ElementFormat = kind == "nf4" ? .nf4 : .fp4BitsAndBytes
    guard table.elementCount == 16, table.type.floatEncoding != nil,
      try table.floats(in: 0..<16) == (0..<16).map({ Float(element.value(of: $0)) })
    else {
      note(.unclassified, codes, "\(kind) codes of a table of its own")
      return
    }
    guard absmax.type == .plain(.f32) else {
      note(.unclassified, codes, "\(kind) with absmax of \(absmax.type), quantized once more")
      return
    }
    try take(
      name, .bitsandbytes,
      kind == "nf4" ? AbsmaxFormat.nf4(block: block) : .fp4BitsAndBytes(block: block),
      shape: extents.compactMap(\.self),
      [StoredPart(codes, .highNibbleFirst), StoredPart(absmax, .plane)],
      companions: [state, table], because: "'quant_state.bitsandbytes__\(kind)' beside the codes")
  }
}
