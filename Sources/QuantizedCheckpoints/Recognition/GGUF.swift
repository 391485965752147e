internal import BlockFormats
internal import TensorFiles

extension Recognition {
  /// GGUF: the type of a tensor names its blocks, and `M.scale` may hold a factor for NVFP4.
  mutating func readGGUF() throws(ModelCheckpointError) {
    for stored in rest {
      guard case .ggml(let type) = stored.type, stored.type.dtype == nil else { continue }
      guard let format = Self.format(of: type), let packing = format.ggmlPacking else { continue }
      guard let width = stored.shape.last, width % type.blockLength == 0 else {
        throw .tensor(
          path: stored.path, name: stored.name,
          reason: "rows of \(stored.shape.last ?? 1) are no whole blocks of \(type.name)")
      }
      let factors = type == .nvfp4 ? try factors(of: stored) : nil
      take(
        stored.name,
        QuantizedStorage(
          format: format, dialect: .ggml, shape: stored.shape, orientation: .stored,
          companions: [], contents: .blocks(stored, packing, factors: factors)),
        because: "type \(type.name)")
    }
  }

  /// The factors of NVFP4: one, or one for each expert.
  private func factors(of codes: StoredTensor) throws(ModelCheckpointError) -> StoredTensor? {
    guard codes.name.hasSuffix(".weight"),
      let factors = stored(codes.name.dropLast("weight".count) + "scale")
    else { return nil }
    guard factors.type == .ggml(.f32), factors.elementCount > 0,
      factors.elementCount == 1 || [factors.elementCount] == codes.shape.prefix(1)
    else {
      throw .tensor(
        path: factors.path, name: factors.name,
        reason: "\(factors.type) of shape \(factors.shape) beside codes of shape \(codes.shape)")
    }
    return factors
  }

  /// The format of a type's blocks; nil for types that are not read here.
  static func format(of type: GGMLType) -> (any BlockFormat)? {
    switch type {
    case .mxfp4: ProducerPreset.named("ggml", "mxfp4")?.format
    case .nvfp4: GGMLNVFP4Format.nvfp4GGML
    default: try? FormatCatalog.builtIn.format(id: type.name.lowercased())
    }
  }
}
