internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

extension Recognition {
  /// Codes under the name of the weight, beside its scales: ModelOpt, compressed-tensors' FP8, DeepSeek and
  /// Quark, which the configuration tells apart where names and types do not.
  mutating func readScaledWeights() throws(ModelCheckpointError) {
    for codes in rest where codes.name.hasSuffix(".weight") && Self.mayBeCodes(codes.type) {
      let module = String(codes.name.dropLast("weight".count))
      if let scale = stored(module + "weight_scale_inv") {
        try readFP8(module, codes, scale, .deepSeek, because: "'weight_scale_inv' beside FP8 codes")
      } else if let scale = stored(module + "weight_scale") {
        try readScaled(module, codes, scale)
      } else if let scale = stored(module + "scale"), scale.type == .plain(.f8E8M0) {
        try readDeepSeek(module, codes, scale)
      } else if let lone = ["weight_scale_2", "input_scale"].first(where: {
        stored(module + $0) != nil
      }) {
        note(
          .incomplete, codes,
          "\(codes.type) codes with '\(module)\(lone)' but no '\(module)weight_scale'")
      }
    }
  }

  private static func mayBeCodes(_ type: StoredType) -> Bool {
    switch type.dtype {
    case .u8, .i8, .f8E4M3, .f8E5M2: true
    default: false
    }
  }

  /// The producer that the configuration names, or the one whose names these are.
  private func dialect(beside module: String, or other: Dialect) -> Dialect {
    switch configuration.method {
    case "compressed-tensors": .compressedTensors
    case "quark": .quark
    case "fp8": .deepSeek
    case "modelopt": .modelOpt
    default: other
    }
  }

  private mutating func readScaled(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor
  ) throws(ModelCheckpointError) {
    let companions = [stored(module + "input_scale"), stored(module + "pre_quant_scale")]
      .compactMap(\.self)
    let dialect = dialect(beside: module, or: .modelOpt)
    switch (codes.type.dtype, scale.type.dtype) {
    case (.u8, .f8E4M3):
      guard let global = stored(module + "weight_scale_2") else {
        note(.incomplete, codes, "NVFP4 codes without '\(module)weight_scale_2'")
        return
      }
      try take(
        codes.name, .modelOpt, preset("modelopt", "nvfp4"), shape: Self.widened(codes.shape, by: 2),
        [
          StoredPart(codes, .plane), StoredPart(scale, .plane),
          StoredPart(global, .tensorScale(.multiplier)),
        ], companions: companions, because: "'weight_scale_2' beside E4M3 'weight_scale'")
    case (.u8, .u8), (.u8, .f8E8M0):
      // Without a configuration, six bits are Quark's alone, and for four both have the same bytes.
      let isFP6 = (scale.shape.last ?? 0) * 24 == codes.shape.last
      try readPackedMX(
        codes.name, configuration.method == nil && isFP6 ? .quark : dialect, codes, scale,
        companions: companions)
    case (.f8E4M3, .u8), (.f8E4M3, .f8E8M0):
      let known = ProducerPreset.named(dialect.rawValue, "mxfp8")?.format
      try take(
        codes.name, dialect, known ?? SharedExponentFormat.mxfp8E4M3, shape: codes.shape,
        [StoredPart(codes, .plane), StoredPart(scale, .plane)], companions: companions,
        because: "E4M3 codes beside \(scale.type) 'weight_scale'")
    case (.f8E4M3, _), (.f8E5M2, _):
      try readFP8(
        module, codes, scale, dialect, companions: companions,
        because: "FP8 codes beside \(scale.type) 'weight_scale' of shape \(scale.shape)")
    default:
      note(.unclassified, codes, "\(codes.type) codes beside \(scale.type) 'weight_scale'")
    }
  }

  /// DeepSeek's newer scales: powers of two for 128x128 elements of FP8, or 32 of FP4.
  private mutating func readDeepSeek(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor
  ) throws(ModelCheckpointError) {
    if codes.type == .plain(.i8) || codes.type == .plain(.u8) {
      try readPackedMX(codes.name, .deepSeek, codes, scale)
    } else {
      try readFP8(module, codes, scale, .deepSeek, because: "E8M0 'scale' beside FP8 codes")
    }
  }

  private mutating func readFP8(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor, _ dialect: Dialect,
    companions: [StoredTensor] = [], because reason: String
  ) throws(ModelCheckpointError) {
    guard let element = codes.type.fp8Element else {
      note(.unclassified, codes, "\(codes.type) codes beside '\(scale.name)'")
      return
    }
    let block = try block(of: codes, scale)
    let isExponent = scale.type == .plain(.f8E8M0) || scale.type == .plain(.u8)
    let format: any BlockFormat =
      isExponent
      ? try self.format("scaled(element=\(element),block=\(block.id),scale=e8m0fnu)", codes)
      : ScaledFormat.fp8(element, block: block).with { $0.scaleArithmetic = .divide }
    try take(
      codes.name, dialect, format, shape: codes.shape,
      [StoredPart(codes, .plane), StoredPart(scale, isExponent ? .plane : .floats)],
      companions: companions, because: reason)
  }

  /// The elements that share one of the scales, by their shape.
  private func block(
    of codes: StoredTensor, _ scale: StoredTensor
  ) throws(ModelCheckpointError) -> BlockShape {
    let told = configuration.quantization?["weight_block_size"]?.elements?.compactMap(\.integer)
    let tile = told.flatMap { $0.count == 2 && $0.allSatisfy { $0 > 0 } ? $0 : nil } ?? [128, 128]
    if scale.elementCount == 1 && (told == nil || scale.shape.count < 2) { return .tensor }
    let (rows, columns) = (codes.shape.dropLast().last ?? 1, codes.shape.last ?? 1)
    let outer = Array(codes.shape.dropLast())
    if scale.shape == outer || scale.shape == outer + [1] { return .row }
    guard codes.shape.count >= 2, BlockShape.extents.contains(tile[0]),
      BlockShape.extents.contains(tile[1]),
      scale.shape == codes.shape.dropLast(2)
        + [(rows - 1 + tile[0]) / tile[0], (columns - 1 + tile[1]) / tile[1]]
    else {
      throw .tensor(
        path: scale.path, name: scale.name,
        reason: "\(scale.type) of shape \(scale.shape) beside codes of shape \(codes.shape) is "
          + "neither one scale, nor one a row, nor one for \(tile[0])x\(tile[1]) elements")
    }
    return .tile(rows: tile[0], columns: tile[1])
  }
}

extension StoredType {
  /// The element format of FP8 codes; nil for other types.
  fileprivate var fp8Element: ElementFormat? {
    switch dtype {
    case .f8E4M3: .e4m3fn
    case .f8E5M2: .e5m2
    default: nil
    }
  }
}
