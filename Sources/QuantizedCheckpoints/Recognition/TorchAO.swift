internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

extension Recognition {
  /// torchao: the metadata names each tensor and says in JSON what its parts are.
  ///
  /// The parts of `M.weight` are `M._weight_qdata`, `M._weight_scale` and so on.
  mutating func readTorchAO() throws(ModelCheckpointError) {
    for path in files.filePaths {
      let metadata = files.metadata(of: path)
      guard let list = metadata["tensor_names"] else { continue }
      let names = try json(list, of: "tensor_names", path).elements ?? []
      for name in names.compactMap(\.text) {
        guard let text = metadata[name] else { continue }
        try readTorchAO(name, json(text, of: name, path))
      }
    }
  }

  private func json(
    _ text: String, of key: String, _ path: String
  ) throws(ModelCheckpointError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(reading: text, depthLimit: ModelConfiguration.depthLimit)
    } catch {
      throw .configuration(path: path, reason: "metadata '\(key)' is not JSON: \(error.fault)")
    }
  }

  private mutating func readTorchAO(
    _ name: String, _ description: JSONValue
  ) throws(ModelCheckpointError) {
    let (module, parameter) = Self.split(name)
    func part(_ suffix: String) -> StoredTensor? { stored("\(module)_\(parameter)_\(suffix)") }
    guard let codes = part("qdata") else { return }
    let type = description["_type"]?.text ?? "?"
    let data = description["_data"]
    guard let scale = part("scale") else {
      note(.incomplete, codes, "\(type) without '\(module)_\(parameter)_scale'")
      return
    }
    let block = data?["block_size"]?.integer ?? 0
    let scales: PartCoding = data?["is_swizzled_scales"]?.truth == true ? .tiles128x4 : .plane
    let reason = "metadata '\(name)' says \(type)"
    switch type {
    case "NVFP4Tensor":
      let shape = Self.widened(codes.shape, by: 2)
      let global = part("per_tensor_scale")
      let format = TwoLevelFormat.nvfp4(block: block, hasTensorScale: global != nil)
      let parts =
        [StoredPart(codes, .plane), StoredPart(scale, scales)]
        + (global.map { [StoredPart($0, .tensorScale(.multiplier))] } ?? [])
      try take(
        name, .torchao, format, shape: shape, parts,
        companions: [part("act_per_tensor_scale")].compactMap(\.self), because: reason)
    case "MXTensor":
      let element = data?["elem_dtype"]?["_data"]?.text ?? data?["elem_dtype"]?.text ?? "?"
      guard let kind = Self.torchAOElements[element], (1...1024).contains(block) else {
        note(.unclassified, codes, "\(type) of element \(element) in blocks of \(block)")
        return
      }
      try take(
        name, .torchao, SharedExponentFormat.mx(element: kind.element, block: block),
        shape: kind.coding == .plane && kind.element.bitWidth == 4
          ? Self.widened(codes.shape, by: 2) : codes.shape,
        [StoredPart(codes, kind.coding), StoredPart(scale, scales)], because: reason)
    default:
      note(.unclassified, codes, "\(type) of torchao is not read here")
    }
  }

  /// torchao's names of elements.
  ///
  /// FP6 codes take a byte each.
  private static let torchAOElements: [String: (element: ElementFormat, coding: PartCoding)] = [
    "float4_e2m1fn_x2": (.e2m1fn, .plane), "fp4_e2m1": (.e2m1fn, .plane),
    "float8_e4m3fn": (.e4m3fn, .plane), "float8_e5m2": (.e5m2, .plane),
    "fp6_e2m3": (.e2m3fn, .bytes), "fp6_e3m2": (.e3m2fn, .bytes),
  ]

  /// The module with its point, and what stands behind it.
  static func split(_ name: String) -> (module: String, parameter: String) {
    guard let point = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[...point]), String(name[name.index(after: point)...]))
  }

  /// A shape whose last extent is larger; extents too large for that stay as they are, and fail later.
  static func widened(_ shape: [Int], by factor: Int) -> [Int] {
    guard let last = shape.last else { return shape }
    let (extent, overflows) = last.multipliedReportingOverflow(by: factor)
    return shape.dropLast() + [overflows ? last : extent]
  }
}

extension TwoLevelFormat {
  /// NVFP4 with or without a scale of the tensor.
  static func nvfp4(block: Int, hasTensorScale: Bool) -> TwoLevelFormat {
    if block == 16 && hasTensorScale { return .nvfp4 }
    let length = max(1, min(block, 1 << 20))
    return TwoLevelFormat(
      id: hasTensorScale
        ? "nvfp4(block=\(length))" : "scaled(element=e2m1fn,block=\(length),scale=e4m3fn)",
      source: "composed by the user", element: .e2m1fn, block: .vector(length: length),
      scale: .e4m3fn, tensorScale: hasTensorScale ? .float32 : .absent)
  }
}
