internal import BlockFormats
internal import CallerChecks
internal import StrictJSON
internal import TensorFiles

extension Recognition {
  /// compressed-tensors' packed weights: `M.weight_packed` beside `M.weight_scale`.
  mutating func readPacked() throws(ModelCheckpointError) {
    for codes in rest where codes.name.hasSuffix(".weight_packed") {
      let module = String(codes.name.dropLast("weight_packed".count))
      guard let scale = stored(module + "weight_scale") else {
        note(.incomplete, codes, "\(codes.type) codes without '\(module)weight_scale'")
        continue
      }
      switch (codes.type, scale.type) {
      case (.plain(.u8), .plain(.f8E4M3)): try readPackedNVFP4(module, codes, scale)
      case (.plain(.u8), .plain(.u8)), (.plain(.u8), .plain(.f8E8M0)):
        try readPackedMX(module + "weight", .compressedTensors, codes, scale)
      case (.plain(.i32), _) where scale.type.floatEncoding != nil:
        try readPackedIntegers(module, codes, scale)
      default:
        note(.unclassified, codes, "\(codes.type) codes beside scales of \(scale.type)")
      }
    }
  }

  private mutating func readPackedNVFP4(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor
  ) throws(ModelCheckpointError) {
    guard let global = stored(module + "weight_global_scale") else {
      note(.incomplete, codes, "NVFP4 codes without '\(module)weight_global_scale'")
      return
    }
    let shape = Self.widened(codes.shape, by: 2)
    try take(
      module + "weight", .compressedTensors, preset("compressed-tensors", "nvfp4"), shape: shape,
      [
        StoredPart(codes, .plane), StoredPart(scale, .plane),
        StoredPart(global, .tensorScale(.reciprocal)),
      ],
      companions: [stored(module + "input_global_scale")].compactMap(\.self),
      because: "'weight_packed' beside E4M3 'weight_scale' and 'weight_global_scale'")
  }

  /// MXFP4 and MXFP6, told apart by the bytes for a scale.
  mutating func readPackedMX(
    _ name: String, _ dialect: Dialect, _ codes: StoredTensor, _ scale: StoredTensor,
    companions: [StoredTensor] = []
  ) throws(ModelCheckpointError) {
    let (bytes, scales) = (codes.shape.last ?? 0, scale.shape.last ?? 0)
    let kinds: [(bytes: Int, name: String, bits: Int)] = [(16, "mxfp4", 4), (24, "mxfp6_e2m3", 6)]
    guard scales > 0, let kind = kinds.first(where: { $0.bytes * scales == bytes }) else {
      throw .tensor(
        path: scale.path, name: scale.name,
        reason:
          "\(scale.type) of shape \(scale.shape) beside codes of shape \(codes.shape), which is "
          + "not one scale for 16 bytes of FP4 or 24 of FP6")
    }
    let plain: SharedExponentFormat = kind.bits == 4 ? .mxfp4 : .mxfp6E2M3
    let known = ProducerPreset.named(
      dialect.rawValue, kind.bits == 6 && dialect == .compressedTensors ? "mxfp6" : kind.name)
    try take(
      name, dialect, known?.format ?? plain, shape: codes.shape.dropLast() + [32 * scales],
      [StoredPart(codes, .plane), StoredPart(scale, .plane)], companions: companions,
      because: "\(kind.bytes) bytes of \(codes.type) to a scale of \(scale.type)")
  }

  private mutating func readPackedIntegers(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor
  ) throws(ModelCheckpointError) {
    if stored(module + "weight_zero_point") != nil || stored(module + "weight_g_idx") != nil {
      note(.unclassified, codes, "integers with zero points or in an order of their own")
      return
    }
    guard let told = stored(module + "weight_shape") else {
      note(.incomplete, codes, "integers without '\(module)weight_shape'")
      return
    }
    let shape = try told.integers()
    guard shape.count == 2, shape.allSatisfy({ $0 > 0 }), codes.shape.count == 2,
      let words = codes.shape.last, let groups = scale.shape.last, groups > 0,
      shape[1] <= 1 << 48, shape[1] % groups == 0,
      let bits = bitWidth(ofRows: shape[1], words: words)
    else {
      throw .tensor(
        path: told.path, name: told.name,
        reason: "shape \(shape) beside \(codes.type) of shape \(codes.shape) and scales of shape "
          + "\(scale.shape)")
    }
    let block = groups == 1 ? "row" : String(shape[1] / groups)
    try take(
      module + "weight", .compressedTensors,
      try format("scaled(element=int\(bits)_full,block=\(block),scale=fp32)", codes), shape: shape,
      [StoredPart(codes, .offsetWords), StoredPart(scale, .floats)], companions: [told],
      because: "'weight_packed' of I32 beside 'weight_shape': \(bits) bits, blocks of \(block)")
  }

  /// The bits of integers of which so many fill a row of words; nil where there are none.
  ///
  /// The words decide but for short rows, of which the configuration tells.
  private func bitWidth(ofRows length: Int, words: Int) -> Int? {
    let possible = (2...8).filter { ($0 * length + 31) / 32 == words }
    guard possible.count > 1 else { return possible.first }
    let groups = configuration.quantization?["config_groups"]?.members ?? []
    let told = Set(groups.compactMap { $0.value["weights"]?["num_bits"]?.integer })
      .intersection(possible)
    return told.count == 1 ? told.first : nil
  }

  /// The format of a producer's preset.
  func preset(_ producer: String, _ name: String) -> any BlockFormat {
    guard let preset = ProducerPreset.named(producer, name) else {
      refuse("no preset \(producer) \(name)")
    }
    return preset.format
  }

  /// The format that an id names which follows from stored shapes.
  func format(_ id: String, _ stored: StoredTensor) throws(ModelCheckpointError) -> any BlockFormat
  {
    do {
      return try FormatCatalog.builtIn.format(id: id)
    } catch {
      throw .tensor(path: stored.path, name: stored.name, reason: error.description)
    }
  }
}

extension StoredTensor {
  /// The numbers of a short tensor of I64.
  fileprivate func integers() throws(ModelCheckpointError) -> [Int] {
    guard type == .plain(.i64), elementCount <= 8 else {
      throw .tensor(path: path, name: name, reason: "\(type) of shape \(shape) is no shape")
    }
    let bytes = try bytes()
    return (0..<elementCount).map { index in
      Int(
        Int64(
          bitPattern: bytes[8 * index..<8 * index + 8].reversed()
            .reduce(0) { $0 << 8 | UInt64($1) }))
    }
  }
}
