internal import BlockFormats
internal import StrictJSON
internal import TensorFiles

extension Recognition {
  /// MLX: `L.weight` of U32 words beside `L.scales`, with `L.biases` for affine groups.
  ///
  /// Bits and group follow from the configuration where there is one, else from the shapes: scales of U8
  /// belong to floating-point modes, whose groups are fixed, and affine groups have 64 elements unless the
  /// bits would then be none that MLX knows.
  mutating func readMLX() throws(ModelCheckpointError) {
    for codes in rest where codes.type == .plain(.u32) && codes.name.hasSuffix(".weight") {
      let module = String(codes.name.dropLast("weight".count))
      guard let scales = stored(module + "scales") else {
        note(.incomplete, codes, "U32 codes without '\(module)scales'")
        continue
      }
      guard let words = codes.shape.last, let groups = scales.shape.last, words > 0, groups > 0
      else {
        throw .tensor(
          path: scales.path, name: scales.name, reason: "shape \(scales.shape) has no groups")
      }
      if scales.type == .plain(.u8) {
        try readMLXFloats(module, codes, scales, words: words, groups: groups)
      } else {
        try readMLXAffine(module, codes, scales, words: words, groups: groups)
      }
    }
  }

  private mutating func readMLXFloats(
    _ module: String, _ codes: StoredTensor, _ scales: StoredTensor, words: Int, groups: Int
  ) throws(ModelCheckpointError) {
    var parts = [StoredPart(codes, .plane), StoredPart(scales, .plane)]
    let format: any BlockFormat
    let bits: Int
    // Words of a group: 32 elements of 4 or 8 bits, or 16 of 4.
    switch words / groups {
    case 4: (format, bits) = (SharedExponentFormat.mxfp4, 4)
    case 8: (format, bits) = (SharedExponentFormat.mxfp8E4M3, 8)
    case 2:
      // Powers of two have no scale above them.
      let global = stored(module + "global_scale")
      if let global { parts.append(StoredPart(global, .tensorScale(.largestMagnitude))) }
      (format, bits) = (TwoLevelFormat.nvfp4(block: 16, hasTensorScale: global != nil), 4)
    default:
      throw .tensor(
        path: codes.path, name: codes.name,
        reason: "\(words) words a row beside \(groups) scales belong to no mode of MLX")
    }
    try take(
      module + "weight", .mlx, format, shape: Self.widened(codes.shape, by: 32 / bits), parts,
      because: "U32 words beside U8 'scales', \(words / groups) words to a scale")
  }

  private mutating func readMLXAffine(
    _ module: String, _ codes: StoredTensor, _ scales: StoredTensor, words: Int, groups: Int
  ) throws(ModelCheckpointError) {
    guard let biases = stored(module + "biases") else {
      note(.incomplete, codes, "U32 codes with floating-point 'scales' but no '\(module)biases'")
      return
    }
    let told = configuredGroup(of: String(module.dropLast()))
    let known = [2, 3, 4, 5, 6, 8]
    let guess = [64, 32, 128].map { ($0, 32 * words / (groups * $0)) }
      .first { known.contains($0.1) && $0.0 * groups * $0.1 == 32 * words }
    guard let (group, bits) = told ?? guess, known.contains(bits),
      BlockShape.extents.contains(group), group * groups * bits == 32 * words
    else {
      throw .tensor(
        path: codes.path, name: codes.name,
        reason: "\(words) words a row beside \(groups) scales are no affine groups of MLX"
          + (told.map { ", and not the \($0.1) bits in groups of \($0.0) of its configuration" }
            ?? ""))
    }
    let scale: ElementFormat
    switch scales.type {
    case .plain(.bf16): scale = .bf16
    case .plain(.f16): scale = .fp16
    case .plain(.f32): scale = .fp32
    default:
      note(.unclassified, codes, "U32 codes beside 'scales' of \(scales.type)")
      return
    }
    try take(
      module + "weight", .mlx, AffineFormat.affine(bits: bits, group: group, scale: scale),
      shape: codes.shape.dropLast() + [group * groups],
      [StoredPart(codes, .plane), StoredPart(scales, .plane), StoredPart(biases, .plane)],
      because: "U32 words beside 'scales' and 'biases', "
        + (told == nil
          ? "groups of \(group) taken for granted: \(bits) bits then"
          : "\(bits) bits in groups of \(group) by the configuration"))
  }

  /// Group and bits that the configuration tells for a layer; nil where it tells none.
  private func configuredGroup(of layer: String) -> (group: Int, bits: Int)? {
    guard let quantization = configuration.config?["quantization"] else { return nil }
    for place in [quantization[layer], quantization] {
      if let group = place?["group_size"]?.integer, let bits = place?["bits"]?.integer {
        return (group, bits)
      }
    }
    return nil
  }
}
